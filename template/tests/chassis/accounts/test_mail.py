"""Letters arrive whole and over a line that nobody reads; in production there is no other way."""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from smtplib import SMTPException, SMTPNotSupportedError
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import SecretStr

from callers import KEY
from service.chassis.application.accounts import Accounts
from service.chassis.application.background import Background
from service.chassis.application.database import Database
from service.chassis.application.mail import Letter, Mailbox, mailbox
from service.chassis.sections import AccountsSettings
from service.chassis.settings import Settings, SettingsRefused

LETTER = Letter("ida@example.org", "Grüße", "Hello,\n\nthis is a “letter”.\n")


def box(url: str, *, production: bool = False) -> Mailbox:
    return mailbox(AccountsSettings(mail_url=SecretStr(url)), production=production)


class Post:
    """A mail server at the far end: what it was told, and what it got."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.letter = b""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 post\r\n")
        while line := (await reader.readline()).decode():
            self.said.append(line.strip())
            word = line.split()[0].upper()
            if word == "DATA":
                writer.write(b"354 go on\r\n")
                self.letter = (await reader.readuntil(b"\r\n.\r\n"))[:-3]
            answer = {"EHLO": b"250-post\r\n250 SMTPUTF8\r\n", "QUIT": b"221 bye\r\n"}
            writer.write(answer.get(word, b"250 ok\r\n"))
            if word == "QUIT":
                break
        writer.close()
        # Whoever has its answer need not wait for the last packet.
        with suppress(ConnectionResetError):
            await writer.wait_closed()


@asynccontextmanager
async def post(tls: ssl.SSLContext | None = None) -> AsyncGenerator[tuple[Post, int]]:
    office = Post()
    server = await asyncio.start_server(office.serve, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield office, server.sockets[0].getsockname()[1]


def read(raw: bytes) -> tuple[str, str, str]:
    letter = message_from_bytes(raw, policy=policy.default)
    text = letter.get_content().replace("\r\n", "\n")
    return str(letter["to"]), str(letter["subject"]), text


async def test_the_outbox_holds_what_was_sent_for_its_owner_only(tmp_path: Path) -> None:
    await box(f"file:{tmp_path}/outbox").send(LETTER)
    (file,) = (tmp_path / "outbox").iterdir()
    assert file.suffix == ".eml"
    assert file.stat().st_mode & 0o077 == 0
    assert read(file.read_bytes()) == (LETTER.to, LETTER.subject, LETTER.text)


async def test_a_mail_server_gets_the_letter() -> None:
    async with post() as (office, port):
        await box(f"smtp+plain://127.0.0.1:{port}").send(LETTER)
    assert read(office.letter) == (LETTER.to, LETTER.subject, LETTER.text)
    assert f"rcpt TO:<{LETTER.to}>" in office.said


async def test_a_server_that_offers_no_encryption_gets_nothing() -> None:
    async with post() as (office, port):
        with pytest.raises(SMTPNotSupportedError):
            await box(f"smtp://127.0.0.1:{port}").send(LETTER)
    assert not office.letter
    assert not [line for line in office.said if LETTER.to in line]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For 127.0.0.1, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "post")])
    here = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    now = datetime.now(UTC)
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    built = built.public_key(key.public_key()).serial_number(1).add_extension(here, critical=False)
    built = built.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = tmp_path_factory.mktemp("tls") / "post.pem"
    file.write_bytes(built.sign(key, SHA256()).public_bytes(Encoding.PEM) + private)
    return file


async def test_an_encrypted_line_needs_a_certificate_that_is_trusted(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    async with post(server) as (office, port):
        with pytest.raises((ssl.SSLError, SMTPException)):
            await box(f"smtps://localhost:{port}").send(LETTER)
        assert not office.letter
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        await box(f"smtps://localhost:{port}").send(LETTER)
    assert read(office.letter)[0] == LETTER.to


@pytest.mark.parametrize("url", ["file:outbox", "smtp+plain://host", "http://host", "nonsense"])
def test_production_refuses_a_mailbox_that_is_only_fit_for_a_laptop(url: str) -> None:
    with pytest.raises(SettingsRefused, match="ACCOUNTS_MAIL_URL"):
        box(url, production=True)


@pytest.mark.parametrize("url", ["smtps://u:p@host", "smtp://host:2525"])
def test_production_takes_an_encrypted_one(url: str) -> None:
    assert box(url, production=True)


@pytest.mark.parametrize("url", ["http://host", "nonsense", "smtp://"])
def test_a_mailbox_that_is_none_is_refused_everywhere(url: str) -> None:
    with pytest.raises(SettingsRefused, match="ACCOUNTS_MAIL_URL"):
        box(url)


def production(settings: Settings, accounts: dict[str, Any], url: str) -> Settings:
    changed = AccountsSettings.model_validate({"mail_url": "smtps://host", **accounts})
    return settings.model_copy(
        update={
            "service": settings.service.model_copy(update={"environment": "production"}),
            "accounts": changed,
            "http": settings.http.model_copy(update={"public_url": url}),
        }
    )


async def test_production_needs_a_key_of_its_own_and_a_public_address(
    settings: Settings, database: Database
) -> None:
    key = {"key": KEY}
    unfit = {
        "ACCOUNTS_KEY": production(settings, {}, "https://x.example"),
        "HTTP_PUBLIC_URL": production(settings, key, "http://x.example"),
        "ACCOUNTS_MAIL_URL": production(
            settings, {**key, "mail_url": "file:x"}, "https://x.example"
        ),
    }
    for name, given in unfit.items():
        with pytest.raises(SettingsRefused, match=name):
            Accounts.of(given, database, Background())
    fit = production(settings, key, "https://x.example")
    assert Accounts.of(fit, database, Background()).public_url == "https://x.example"


@pytest.mark.parametrize("to", ["ida@example.org\nBcc: all@example.org", "ida@example.org\r\nX: y"])
async def test_an_address_cannot_add_a_header(tmp_path: Path, to: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        await box(f"file:{tmp_path}/outbox").send(Letter(to, "x", "y"))


async def test_work_in_the_background_ends_before_the_service_does_and_failures_are_logged(
    capsys: pytest.CaptureFixture[str],
) -> None:
    done, background = [], Background()

    async def work() -> None:
        await asyncio.sleep(0.05)
        done.append(1)

    async def failing() -> None:
        raise ValueError("no such host")

    background.start(work())
    background.start(failing())
    await background.drain()
    assert done == [1]
    assert "background_work_failed" in capsys.readouterr().out
