"""Letters to people, through a port: a folder on a laptop, a mail server elsewhere."""

import smtplib
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import SplitResult, unquote, urlsplit
from uuid import uuid4

from anyio import to_thread

from service.chassis.sections import AccountsSettings
from service.chassis.settings import SettingsRefused

PORTS = {"smtps": 465, "smtp": 587, "smtp+plain": 25}
TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class Letter:
    to: str
    subject: str
    text: str


class Mailbox(Protocol):
    async def send(self, letter: Letter) -> None: ...


def mailbox(settings: AccountsSettings, *, production: bool) -> Mailbox:
    url = urlsplit(settings.mail_url.get_secret_value())
    if production and url.scheme not in {"smtps", "smtp"}:
        raise SettingsRefused(
            "ACCOUNTS_MAIL_URL: letters must leave encrypted; give smtps:// or smtp:// (STARTTLS)"
        )
    if url.scheme == "file":
        return Outbox(Path(url.path), settings.mail_from)
    if url.scheme in PORTS and url.hostname:
        return MailServer(url, settings.mail_from)
    raise SettingsRefused("ACCOUNTS_MAIL_URL: give smtps://host, smtp://host or file:folder")


def _composed(letter: Letter, sender: str) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(addr_spec=sender)
    message["To"] = Address(addr_spec=letter.to)
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = f"<{uuid4().hex}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    return message


class Outbox:
    """Letters as files that a mail program opens."""

    def __init__(self, folder: Path, sender: str) -> None:
        self._folder, self._sender = folder, sender

    async def send(self, letter: Letter) -> None:
        message = _composed(letter, self._sender)
        await to_thread.run_sync(self._write, bytes(message))

    def _write(self, content: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}-{uuid4().hex[:8]}.eml"
        new = file.with_suffix(".new")
        new.touch(0o600)
        new.write_bytes(content)
        new.rename(file)


class MailServer:
    """A connection for each letter; without `+plain` no letter goes over an open line."""

    def __init__(self, url: SplitResult, sender: str) -> None:
        self._url, self._sender = url, sender

    async def send(self, letter: Letter) -> None:
        message = _composed(letter, self._sender)
        await to_thread.run_sync(self._deliver, message, letter.to)

    def _deliver(self, message: EmailMessage, to: str) -> None:
        trusted = ssl.create_default_context()
        with self._connected(trusted) as server:
            if self._url.scheme == "smtp":
                # Raises when the server does not offer it: no fallback to an open line.
                server.starttls(context=trusted)
            if self._url.username:
                server.login(unquote(self._url.username), unquote(self._url.password or ""))
            server.send_message(message, self._sender, [to])

    def _connected(self, trusted: ssl.SSLContext) -> smtplib.SMTP:
        host, scheme = self._url.hostname or "", self._url.scheme
        port = self._url.port or PORTS[scheme]
        if scheme == "smtps":
            return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_SECONDS, context=trusted)
        return smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
