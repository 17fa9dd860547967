"""Signed webhooks in and out, by the Standard Webhooks scheme: `id.timestamp.body`, HMAC-SHA256."""

import hmac
import re
import time
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Index, UniqueConstraint, delete, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from service.chassis.application.database import Database
from service.chassis.application.outbound import Outbound
from service.chassis.application.tables import OPEN_TENANT, Table, TenantOwned, table_of
from service.chassis.application.tenancy import Tenancy
from service.chassis.errors import AddressUnreachable, SignatureRefused
from service.chassis.identity import TenantId

WINDOW_SECONDS = 300
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
READABLE_ID = re.compile(r"[A-Za-z0-9_.:+=/-]{1,128}")
READABLE_TIMESTAMP = re.compile(r"[0-9]{1,12}")
MAX_SIGNATURES = 10
KEY_BYTES = range(24, 65)


class WebhookDelivery(TenantOwned, Table):
    """An id that had its effect; forgotten when no sender would still repeat it."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        UniqueConstraint("tenant_id", "source", "message_id"),
        Index(None, "tenant_id", "received_at"),
    )

    source: Mapped[str]
    message_id: Mapped[str]
    received_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


DELIVERIES = table_of(WebhookDelivery)
RECORD = insert(DELIVERIES).on_conflict_do_nothing().returning(DELIVERIES.c.id)
FORGET = delete(DELIVERIES).where(DELIVERIES.c.received_at < text("now() - interval '30 days'"))


@dataclass(frozen=True)
class SigningSecrets:
    """Several while one is being replaced: all of them sign, and any of them is believed."""

    keys: tuple[bytes, ...]

    @classmethod
    def of(cls, *secrets: str) -> "SigningSecrets":
        """From the `whsec_…` that both sides hold."""
        keys = tuple(b64decode(secret.removeprefix("whsec_"), validate=True) for secret in secrets)
        if not keys or any(len(key) not in KEY_BYTES for key in keys):
            raise ValueError("a webhook's secret is whsec_ and 24 to 64 bytes in base64")
        return cls(keys)

    def signed(self, message_id: str, at: int, body: bytes) -> dict[str, str]:
        signatures = b" ".join(self._signatures(message_id, str(at), body))
        return {ID: message_id, TIMESTAMP: str(at), SIGNATURE: signatures.decode()}

    def verified(self, headers: Mapping[str, str], body: bytes, now: float) -> str:
        """The id of what was sent, or a refusal: that of a wrong clock only to who can sign."""
        message_id, at = headers.get(ID, ""), headers.get(TIMESTAMP, "")
        if not READABLE_ID.fullmatch(message_id) or not READABLE_TIMESTAMP.fullmatch(at):
            raise SignatureRefused("Send webhook-id, webhook-timestamp and webhook-signature.")
        given = headers.get(SIGNATURE, "").encode().split(b" ")[:MAX_SIGNATURES]
        wanted = self._signatures(message_id, at, body)
        # All pairs, always: how long it takes says nothing of which one fits.
        if not sum(hmac.compare_digest(one, other) for one in given for other in wanted):
            raise SignatureRefused("The signature fits neither the body nor its id and time.")
        if abs(now - int(at)) > WINDOW_SECONDS:
            raise SignatureRefused("It was signed too long ago, or ahead of its time.")
        return message_id

    def _signatures(self, message_id: str, at: str, body: bytes) -> list[bytes]:
        content = f"{message_id}.{at}.".encode() + body
        return [b"v1," + b64encode(hmac.digest(key, content, "sha256")) for key in self.keys]


@dataclass(frozen=True)
class Delivery:
    """What somebody sent who holds the secret, and the tenancy that it is about."""

    tenancy: Tenancy
    source: str
    message_id: str
    body: bytes


async def is_open(database: Database, tenant_id: TenantId) -> bool:
    """Whether there is such a tenant, and it is not suspended."""
    async with database.transaction(tenant_id) as session:
        return await session.scalar(OPEN_TENANT) is not None


async def arrives_first(session: AsyncSession, delivery: Delivery) -> bool:
    """Ask in the transaction of the effect: then either both are kept, or neither.

    A sender repeats what it has no answer to, so a repetition is no error: do nothing, say 200.
    """
    named = {"source": delivery.source, "message_id": delivery.message_id}
    first = (await session.execute(RECORD, named)).first() is not None
    if first:
        await session.execute(FORGET)
    return first


@dataclass(frozen=True)
class Endpoint:
    """Where to send and the secrets for there; read in one go, so that they fit each other."""

    url: str
    secrets: SigningSecrets


async def deliver(outbound: Outbound, endpoint: Endpoint, message_id: str, body: bytes) -> None:
    """One attempt. Repeat it under the same id until it passes: the other side counts it once."""
    signed = endpoint.secrets.signed(message_id, int(time.time()), body)
    headers = {"content-type": "application/json", **signed}
    answer = await outbound.post(endpoint.url, body, headers=headers)
    if not 200 <= answer.status < 300:
        raise AddressUnreachable(f"The address answered {answer.status} and took nothing.")
