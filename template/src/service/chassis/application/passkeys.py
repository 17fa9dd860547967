"""Passkeys (WebAuthn): signing in with a device that checks who holds it.

A challenge is good once and for a few minutes; a counter that does not rise means a copied
device, and is refused.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import (
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Row,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column
from webauthn.helpers import base64url_to_bytes

from service.chassis.application.members import Member
from service.chassis.application.tables import Table, TenantOwned, table_of
from service.chassis.errors import Invalid
from service.chassis.settings import about

LIFETIME = timedelta(minutes=5)
REFUSED = "The passkey is not right, or the attempt took too long; begin anew."


class Ceremony(StrEnum):
    REGISTRATION = "registration"
    SIGN_IN = "sign-in"


class Passkey(TenantOwned, Table):
    __tablename__ = "passkeys"
    __table_args__ = (
        UniqueConstraint("tenant_id", "credential_id"),
        Index(None, "tenant_id", "member_id"),
        ForeignKeyConstraint(
            ["tenant_id", "member_id"], ["members.tenant_id", "members.id"], ondelete="CASCADE"
        ),
    )

    member_id: Mapped[UUID]
    name: Mapped[str]
    credential_id: Mapped[bytes] = mapped_column(LargeBinary)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    used_at: Mapped[datetime | None]


class PasskeyChallenge(TenantOwned, Table):
    """`purpose` says which ceremony, and for a registration whose."""

    __tablename__ = "passkey_challenges"
    __table_args__ = (
        UniqueConstraint("tenant_id", "challenge_hash"),
        Index(None, "tenant_id", "expires_at"),
    )

    purpose: Mapped[str]
    challenge_hash: Mapped[bytes] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime]


PASSKEYS, CHALLENGES, MEMBERS = (
    table_of(Passkey),
    table_of(PasskeyChallenge),
    table_of(Member),
)
passkey_, challenge_, member = PASSKEYS.c, CHALLENGES.c, MEMBERS.c
SHOWN = (passkey_.id, passkey_.name, passkey_.created_at, passkey_.used_at)
OWN = select(*SHOWN).where(passkey_.member_id == bindparam("member"))
OWN = OWN.order_by(passkey_.created_at, passkey_.id).limit(100)
ADD = insert(PASSKEYS).on_conflict_do_nothing().returning(*SHOWN)
REMOVE = (
    delete(PASSKEYS)
    .where(passkey_.id == bindparam("passkey"), passkey_.member_id == bindparam("member"))
    .returning(passkey_.id)
)
PRESENTED = (
    select(passkey_.id, passkey_.member_id, passkey_.public_key, passkey_.sign_count)
    .join(MEMBERS, member.id == passkey_.member_id)
    .where(passkey_.credential_id == bindparam("credential"), member.state == "active")
    # Two sign-ins with one counter: the second reads what the first wrote.
    .with_for_update(of=PASSKEYS)
)
USED = update(PASSKEYS).where(passkey_.id == bindparam("passkey"))
USED = USED.values(sign_count=bindparam("counted"), used_at=func.now())
KEEP = insert(CHALLENGES)
FORGET = delete(CHALLENGES).where(challenge_.expires_at < func.now())
SPEND = (
    delete(CHALLENGES)
    .where(
        challenge_.challenge_hash == bindparam("hashed"),
        challenge_.purpose == bindparam("asked"),
        challenge_.expires_at > func.now(),
    )
    .returning(challenge_.id)
)

PasskeyRow = Row[*tuple[Any, ...]]
Credential = Mapping[str, Any]


@dataclass(frozen=True)
class RelyingParty:
    """Who this service is to a browser: where it is, and under which name keys are kept."""

    origin: str

    @property
    def id(self) -> str:
        return urlsplit(self.origin).hostname or ""

    @property
    def name(self) -> str:
        return about().name


def new_challenge() -> bytes:
    return secrets.token_bytes(32)


async def keep_challenge(session: AsyncSession, purpose: str, challenge: bytes) -> None:
    await session.execute(FORGET)
    hashed = sha256(challenge).digest()
    values = {"purpose": purpose, "challenge_hash": hashed, "expires_at": func.now() + LIFETIME}
    await session.execute(KEEP.values(values))


async def spend_challenge(session: AsyncSession, purpose: str, challenge: bytes) -> bool:
    asked = {"hashed": sha256(challenge).digest(), "asked": purpose}
    return (await session.execute(SPEND, asked)).one_or_none() is not None


async def passkeys_of(session: AsyncSession, member_id: UUID) -> Sequence[PasskeyRow]:
    return (await session.execute(OWN, {"member": member_id})).all()


def challenge_in(credential: Credential) -> bytes:
    """Which challenge this answers, as the browser says; the signature covers it."""
    try:
        client_data = json.loads(base64url_to_bytes(credential["response"]["clientDataJSON"]))
        return base64url_to_bytes(client_data["challenge"])
    except Exception as error:
        # A stranger made these bytes up: whatever goes wrong with them is a refusal.
        raise Invalid(REFUSED, field="credential") from error
