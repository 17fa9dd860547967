"""Who did what: one row for each event, chained so that a changed or missing row shows.

No role of the running service may change or delete a row. The database itself numbers, dates
and hashes them (`migrations/chassis/c0003_identity.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import LargeBinary, Row, UniqueConstraint, bindparam, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from service.chassis.application.tables import Table, TenantOwned, table_of
from service.chassis.application.tenancy import Tenancy
from service.chassis.identity import Action, Permission
from service.chassis.telemetry.tracing import current_trace_id

READ_AUDIT = Permission("audit", Action.ADMINISTER)
# Somebody of whom nothing is proven.
STRANGER = "stranger"


class AuditLine(TenantOwned, Table):
    __tablename__ = "audit_log"
    __table_args__ = (UniqueConstraint("tenant_id", "number"),)

    number: Mapped[int]
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    target: Mapped[str]
    address: Mapped[str]
    trace_id: Mapped[str]
    detail: Mapped[str]
    previous: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


@dataclass(frozen=True)
class Actor:
    """Who acts, and from where."""

    subject: str
    address: str = ""

    @classmethod
    def of(cls, tenancy: Tenancy) -> "Actor":
        return cls(tenancy.caller.subject, tenancy.address)


LINES = table_of(AuditLine)
line = LINES.c
WRITTEN = insert(LINES)
SHOWN = (line.number, line.at, line.actor, line.action, line.target, line.address)
NEWEST = (
    select(*SHOWN, line.trace_id, line.detail)
    .where(line.number < bindparam("before"))
    .order_by(line.number.desc())
    .limit(bindparam("count"))
)
# The first row that does not follow from the one before it.
BROKEN = text("""
    SELECT min(number) FROM (
        SELECT number, hash, previous, audit_hash(audit_log) AS proper,
               row_number() OVER chain AS place, lag(hash, 1, '') OVER chain AS before
        FROM audit_log WINDOW chain AS (ORDER BY number)
    ) AS lines WHERE number <> place OR previous <> before OR hash <> proper
""")
HEAD = select(line.number, line.hash).order_by(line.number.desc()).limit(1)
LAST = 2**62

AuditRow = Row[*tuple[Any, ...]]


async def record(
    session: AsyncSession, actor: Actor, action: str, target: object = "", detail: str = ""
) -> None:
    """In the transaction of what happened: both are there afterwards, or neither."""
    written = {"actor": actor.subject, "address": actor.address, "action": action}
    named = {"target": str(target), "detail": detail, "trace_id": current_trace_id()}
    await session.execute(WRITTEN, written | named)


async def list_audit(
    tenancy: Tenancy, count: int, after: list[str] | None
) -> tuple[Sequence[AuditRow], list[str] | None]:
    before = int(after[0]) if after else LAST
    async with tenancy.transaction(READ_AUDIT) as session:
        rows = (await session.execute(NEWEST, {"before": before, "count": count + 1})).all()
    shown = rows[:count]
    return shown, [str(shown[-1].number)] if len(rows) > count else None


@dataclass(frozen=True)
class Verdict:
    """Keep `lines` and `head` elsewhere: they show later whether the newest rows are missing."""

    lines: int
    head: str
    broken_at: int | None


async def verify_audit(tenancy: Tenancy) -> Verdict:
    async with tenancy.transaction(READ_AUDIT) as session:
        broken = await session.scalar(BROKEN)
        head = (await session.execute(HEAD)).one_or_none()
    return Verdict(head.number if head else 0, head.hash.hex() if head else "", broken)
