"""The rows that remember what was answered under an idempotency key."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Index,
    bindparam,
    delete,
    func,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from service.chassis.application.tables import Table, TenantOwned, table_of
from service.chassis.identity import Caller

# A request that asks models has this long between two commits before a retry may take over.
CLAIM_SECONDS = 600
PURGED_AT_ONCE = 10


class IdempotencyKey(TenantOwned, Table):
    """`id` is the hash of who asked for what under which key."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        Index(None, "tenant_id", "principal", "expires_at"),
        Index(None, "tenant_id", "expires_at"),
        CheckConstraint(
            "state IN ('asking', 'begun', 'finished', 'streamed', 'unstored')", name="state"
        ),
    )

    principal: Mapped[str]
    fingerprint: Mapped[bytes]
    claim: Mapped[UUID]
    state: Mapped[str]
    status: Mapped[int | None]
    headers: Mapped[list[list[str]] | None] = mapped_column(JSONB)
    body: Mapped[bytes | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    claimed_until: Mapped[datetime]
    expires_at: Mapped[datetime]


@dataclass(frozen=True)
class Identity:
    """One key of one principal for one route of one tenant."""

    id: UUID
    lock: int
    principal: str

    @classmethod
    def of(cls, caller: Caller, route: str, key: str) -> "Identity":
        parts = (str(caller.tenant_id), caller.subject, route, key)
        # Each part with its length, so that no two ways of cutting give the same hash.
        digest = sha256("".join(f"{len(part)}:{part}" for part in parts).encode()).digest()
        lock = int.from_bytes(digest[16:24], signed=True)
        return cls(UUID(bytes=digest[:16]), lock, caller.subject)


@dataclass(frozen=True)
class Answer:
    """What a caller was told; without a body it was a stream, or too large to keep."""

    status: int
    headers: list[list[str]]
    body: bytes | None


KEYS = table_of(IdempotencyKey)
keys = KEYS.c
LOCK = select(func.pg_try_advisory_xact_lock(bindparam("lock")))
WROTE = select(func.pg_current_xact_id_if_assigned().is_not(None))
ALIVE = (
    select(func.count())
    .select_from(
        select(true())
        .where(keys.principal == bindparam("principal"), keys.expires_at > func.now())
        .limit(bindparam("most"))
        .subquery()
    )
    .scalar_subquery()
)
FIND = select(
    ALIVE.label("alive"), KEYS, (keys.claimed_until > func.now()).label("claimed")
).select_from(
    select(true())
    .subquery()
    .outerjoin(KEYS, (keys.id == bindparam("key_id")) & (keys.expires_at > func.now()))
)
OFFERED = insert(KEYS).values(
    claimed_until=func.now() + func.make_interval(0, 0, 0, 0, 0, 0, CLAIM_SECONDS),
    expires_at=func.now() + func.make_interval(0, 0, 0, 0, bindparam("hours")),
)
RENEWED = (
    *("claim", "fingerprint", "state", "status", "headers", "body"),
    *("created_at", "claimed_until", "expires_at"),
)
WRITE = OFFERED.on_conflict_do_update(
    index_elements=[keys.tenant_id, keys.id],
    set_={name: OFFERED.excluded[name] for name in RENEWED},
    where=or_(
        keys.claim == OFFERED.excluded.claim,
        keys.expires_at <= func.now(),
        (keys.state == "asking") & (keys.claimed_until <= func.now()),
    ),
).returning(keys.id)
FORGET = delete(KEYS).where(keys.id == bindparam("key_id"), keys.claim == bindparam("mine"))
EXPIRED = (
    select(keys.id)
    .where(keys.expires_at <= func.now())
    .order_by(keys.expires_at)
    .limit(bindparam("most"))
    # Nobody waits for a purge, and two of them do not wait for each other.
    .with_for_update(skip_locked=True)
)
PURGE = delete(KEYS).where(keys.id.in_(EXPIRED))


async def found(session: AsyncSession, identity: Identity, most: int) -> Any:
    """The living row of this key, or a row of nulls, and how many the principal has alive."""
    sought = {"key_id": identity.id, "principal": identity.principal, "most": most}
    return (await session.execute(FIND, sought)).one()


async def written(session: AsyncSession, row: dict[str, Any]) -> bool:
    """Whether the key was still this attempt's to write; clears up a little behind it."""
    mine = (await session.execute(WRITE, row)).one_or_none()
    await purge(session, PURGED_AT_ONCE)
    return mine is not None


async def purge(session: AsyncSession, most: int) -> None:
    """Deletes expired keys of the tenant; for a job, where a tenant has gone quiet."""
    await session.execute(PURGE, {"most": most})
