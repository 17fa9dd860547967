"""Tokens that letters carry: `ot_<tenant>_<token>_<secret>`, good once, for one purpose.

A member has one of each purpose at most: a new one takes the place of the old one.
"""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    LargeBinary,
    Row,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from service.chassis.application.members import Member
from service.chassis.application.tables import OPEN_TENANT, Table, TenantOwned, table_of
from service.chassis.errors import Invalid
from service.chassis.identity import TenantId

SPELLED = re.compile(r"ot_([0-9a-f]{32})_([0-9a-f]{32})_([\w-]{43})", re.ASCII)
REFUSED = "This link is not valid, or no longer; ask for a new letter."


class Purpose(StrEnum):
    INVITATION = "invitation"
    RESET = "reset"
    EMAIL = "email"


LIFETIMES = {
    Purpose.INVITATION: timedelta(days=7),
    Purpose.RESET: timedelta(minutes=30),
    Purpose.EMAIL: timedelta(hours=24),
}


class OneTimeToken(TenantOwned, Table):
    """`email` is where the letter went: what it proves is that somebody reads that address."""

    __tablename__ = "one_time_tokens"
    __table_args__ = (
        UniqueConstraint("tenant_id", "member_id", "purpose"),
        CheckConstraint("purpose IN ('invitation', 'reset', 'email')", name="purpose"),
        ForeignKeyConstraint(
            ["tenant_id", "member_id"], ["members.tenant_id", "members.id"], ondelete="CASCADE"
        ),
    )

    member_id: Mapped[UUID]
    purpose: Mapped[str]
    email: Mapped[str]
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime]


TOKENS, MEMBERS = table_of(OneTimeToken), table_of(Member)
token_, member = TOKENS.c, MEMBERS.c
ISSUE = insert(TOKENS)
ISSUE = ISSUE.on_conflict_do_update(
    index_elements=["tenant_id", "member_id", "purpose"],
    set_={name: ISSUE.excluded[name] for name in ("id", "email", "secret_hash", "expires_at")},
)
VALID = (
    token_.id == bindparam("token"),
    token_.secret_hash == bindparam("hashed"),
    token_.purpose == bindparam("purpose_asked"),
    token_.expires_at > func.now(),
    OPEN_TENANT.exists(),
)
SEEN = (
    select(token_.member_id, token_.email, member.email.label("present"), member.state)
    .join(MEMBERS, member.id == token_.member_id)
    .where(*VALID)
    # Whoever disables or moves the member meanwhile waits, or is seen.
    .with_for_update(of=MEMBERS)
)
SPEND = delete(TOKENS).where(*VALID).returning(token_.member_id, token_.email)

TokenRow = Row[*tuple[Any, ...]]


@dataclass(frozen=True)
class OneTime:
    """A token in parts."""

    tenant_id: TenantId
    token_id: UUID
    secret: str

    @classmethod
    def parse(cls, sent: str) -> "OneTime":
        if not (parts := SPELLED.fullmatch(sent)):
            raise Invalid(REFUSED, field="token")
        return cls(TenantId(UUID(parts[1])), UUID(parts[2]), parts[3])

    def __str__(self) -> str:
        return f"ot_{self.tenant_id.hex}_{self.token_id.hex}_{self.secret}"

    @property
    def hashed(self) -> bytes:
        return sha256(self.secret.encode()).digest()

    def asked(self, purpose: Purpose) -> dict[str, Any]:
        return {"token": self.token_id, "hashed": self.hashed, "purpose_asked": purpose.value}


async def issue(
    session: AsyncSession, tenant_id: TenantId, member_id: UUID, purpose: Purpose, email: str
) -> OneTime:
    made = OneTime(tenant_id, uuid4(), secrets.token_urlsafe(32))
    values = {
        "id": made.token_id,
        "member_id": member_id,
        "purpose": purpose.value,
        "email": email,
        "secret_hash": made.hashed,
        "expires_at": func.now() + LIFETIMES[purpose],
    }
    await session.execute(ISSUE.values(values))
    return made


async def see(session: AsyncSession, sent: OneTime, purpose: Purpose) -> TokenRow:
    """Whose it is, without spending it."""
    return _valid((await session.execute(SEEN, sent.asked(purpose))).one_or_none())


async def spend(session: AsyncSession, sent: OneTime, purpose: Purpose) -> TokenRow:
    return _valid((await session.execute(SPEND, sent.asked(purpose))).one_or_none())


def _valid(found: TokenRow | None) -> TokenRow:
    if found is None:
        raise Invalid(REFUSED, field="token")
    return found
