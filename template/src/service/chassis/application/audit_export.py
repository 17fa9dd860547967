"""The record on its way out, a page at a time: no export is too long for the memory."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, func, select

from service.chassis.application.audit import (
    HEAD,
    READ_AUDIT,
    SHOWN,
    Actor,
    AuditRow,
    line,
    record,
)
from service.chassis.application.tenancy import Tenancy

PAGE = 500
# With what the chain is made of, so that somebody else can follow it.
CHAINED = (
    line.tenant_id,
    line.id,
    *SHOWN,
    line.trace_id,
    line.detail,
    func.encode(line.previous, "hex").label("previous"),
    func.encode(line.hash, "hex").label("hash"),
)
NEXT = (
    select(*CHAINED)
    .where(line.number >= bindparam("first"), line.number <= bindparam("last"))
    .order_by(line.number)
    .limit(bindparam("count"))
)


@dataclass(frozen=True)
class Export:
    """From which row to which; the last one is no later than the row of the export itself."""

    first: int
    last: int


async def begin_export(tenancy: Tenancy, first: int, last: int, form: str) -> Export:
    """On record before anything leaves."""
    async with tenancy.transaction(READ_AUDIT) as session:
        asked = f"{form} from {first} to {last}"
        await record(session, Actor.of(tenancy), "audit.exported", detail=asked)
        head = (await session.execute(HEAD)).one()
    return Export(first, min(last, head.number))


async def pages(tenancy: Tenancy, export: Export) -> AsyncIterator[Sequence[AuditRow]]:
    """No transaction is open between two pages, however slowly they are read."""
    first = export.first
    while first <= export.last:
        page = await _page(tenancy, first, export.last)
        if not page:
            return
        yield page
        first = page[-1].number + 1


async def _page(tenancy: Tenancy, first: int, last: int) -> Sequence[AuditRow]:
    asked = {"first": first, "last": last, "count": PAGE}
    async with tenancy.transaction(READ_AUDIT) as session:
        return (await session.execute(NEXT, asked)).all()
