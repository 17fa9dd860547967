"""One-time codes of an authenticator app (RFC 6238), and recovery codes for when it is lost."""

import hmac
import secrets
import struct
import time
from base64 import b32encode
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

from sqlalchemy import (
    ForeignKeyConstraint,
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

from service.chassis.application.audit import Actor, record
from service.chassis.application.factor_sealing import Sealer
from service.chassis.application.tables import Table, TenantOwned, table_of
from service.chassis.identity import MemberId
from service.chassis.settings import about

STEP_SECONDS, DIGITS = 30, 6
SECRET_BYTES, RECOVERY_LETTERS, RECOVERY_CODES = 20, 28, 10


class TotpFactor(TenantOwned, Table):
    """`last_step` is the newest that was used: it, and older ones, are good no more."""

    __tablename__ = "totp_factors"
    __table_args__ = (
        UniqueConstraint("tenant_id", "member_id"),
        ForeignKeyConstraint(
            ["tenant_id", "member_id"], ["members.tenant_id", "members.id"], ondelete="CASCADE"
        ),
    )

    member_id: Mapped[UUID]
    sealed_secret: Mapped[bytes] = mapped_column(LargeBinary)
    last_step: Mapped[int] = mapped_column(server_default=text("0"))
    confirmed_at: Mapped[datetime | None]


class RecoveryCode(TenantOwned, Table):
    __tablename__ = "recovery_codes"
    __table_args__ = (
        UniqueConstraint("tenant_id", "member_id", "code_hash"),
        ForeignKeyConstraint(
            ["tenant_id", "member_id"], ["members.tenant_id", "members.id"], ondelete="CASCADE"
        ),
    )

    member_id: Mapped[UUID]
    code_hash: Mapped[bytes] = mapped_column(LargeBinary)


FACTORS, CODES = table_of(TotpFactor), table_of(RecoveryCode)
factor_, code_ = FACTORS.c, CODES.c
OF_MEMBER = select(factor_.sealed_secret, factor_.confirmed_at).where(
    factor_.member_id == bindparam("member")
)
# A second enrolment takes the place of one that was never confirmed, and of no other.
ADD = insert(FACTORS)
BEGIN = ADD.on_conflict_do_update(
    index_elements=["tenant_id", "member_id"],
    set_={"sealed_secret": ADD.excluded.sealed_secret},
    where=factor_.confirmed_at.is_(None),
).returning(factor_.id)
# Two requests with one code: the second finds the step taken.
TAKE_STEP = (
    update(FACTORS)
    .where(factor_.member_id == bindparam("member"), factor_.last_step < bindparam("step"))
    .values(last_step=bindparam("step"))
    .returning(factor_.id)
)
CONFIRM = update(FACTORS).where(factor_.member_id == bindparam("member"))
CONFIRM = CONFIRM.values(confirmed_at=func.now())
REMOVE = delete(FACTORS).where(factor_.member_id == bindparam("member")).returning(factor_.id)
ADD_CODES = insert(CODES)
SPEND_CODE = (
    delete(CODES)
    .where(code_.member_id == bindparam("member"), code_.code_hash == bindparam("hashed"))
    .returning(code_.id)
)
REMOVE_CODES = delete(CODES).where(code_.member_id == bindparam("member"))

FactorRow = Row[*tuple[Any, ...]]


@dataclass(frozen=True)
class Proof:
    """What somebody has besides the password; both may be missing."""

    code: str | None = None
    recovery_code: str | None = None


def code_at(secret: bytes, step: int) -> str:
    digest = hmac.digest(secret, struct.pack(">Q", step), "sha1")
    at = digest[-1] & 0x0F
    number = int.from_bytes(digest[at : at + 4], "big") & 0x7FFFFFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def matching_step(secret: bytes, code: str) -> int | None:
    """One step early or late is forgiven: clocks differ, and typing takes time."""
    present = int(time.time()) // STEP_SECONDS
    for step in (present, present - 1, present + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), code.encode()):
            return step
    return None


async def prove(
    session: AsyncSession, sealer: Sealer, member_id: MemberId, proof: Proof, actor: Actor
) -> str | None:
    """The methods that were used; empty if a factor was wrong; nothing if one is missing."""
    factor = (await session.execute(OF_MEMBER, {"member": member_id})).one_or_none()
    if factor is None or factor.confirmed_at is None:
        return "pwd"
    if proof.code is not None:
        right = await take_code(session, sealer, member_id, factor, proof.code)
        return "pwd otp" if right else ""
    if proof.recovery_code is not None:
        right = await _spend_recovery_code(session, sealer, member_id, proof.recovery_code)
        if right:
            await record(session, actor, "recovery_code.used", member_id)
        return "pwd recovery" if right else ""
    return None


async def take_code(
    session: AsyncSession, sealer: Sealer, member_id: MemberId, factor: FactorRow, code: str
) -> bool:
    """Whether it is right and new; from now on it is not new."""
    secret = sealer.unseal(factor.sealed_secret, member_id.bytes)
    if (step := matching_step(secret, code)) is None:
        return False
    taken = await session.execute(TAKE_STEP, {"member": member_id, "step": step})
    return taken.one_or_none() is not None


async def _spend_recovery_code(
    session: AsyncSession, sealer: Sealer, member_id: MemberId, sent: str
) -> bool:
    hashed = sealer.hashed(_plain(sent), member_id.bytes)
    spent = await session.execute(SPEND_CODE, {"member": member_id, "hashed": hashed})
    return spent.one_or_none() is not None


def new_recovery_codes() -> list[str]:
    """Seven groups of four: 140 bits, so that even who reads the database guesses none."""
    made = [
        b32encode(secrets.token_bytes(RECOVERY_LETTERS)).decode() for _ in range(RECOVERY_CODES)
    ]
    groups = range(0, RECOVERY_LETTERS, 4)
    return ["-".join(code[at : at + 4] for at in groups) for code in made]


def _plain(code: str) -> str:
    return code.replace("-", "").replace(" ", "").upper()


async def keep_recovery_codes(
    session: AsyncSession, sealer: Sealer, member_id: MemberId, codes: list[str]
) -> None:
    await session.execute(REMOVE_CODES, {"member": member_id})
    hashes = [sealer.hashed(_plain(code), member_id.bytes) for code in codes]
    rows = [{"member_id": member_id, "code_hash": hashed} for hashed in hashes]
    await session.execute(ADD_CODES, rows)


def new_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def enrolment_uri(secret: bytes, email: str) -> str:
    """What an authenticator app reads from a QR code."""
    label = quote(f"{about().name}:{email}")
    return f"otpauth://totp/{label}?" + urlencode(
        {"secret": spelled(secret), "issuer": about().name}
    )


def spelled(secret: bytes) -> str:
    return b32encode(secret).decode()
