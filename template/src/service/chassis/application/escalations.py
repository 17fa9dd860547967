"""Asking a person instead of a model, and being that person."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Update
from sqlalchemy.ext.asyncio import AsyncSession

from service.chassis.application.audit import Actor, record
from service.chassis.application.escalation_rows import LATEST, LIST, OPEN, SETTLE, TAKE
from service.chassis.application.run_reading import MAY_READ, find_run
from service.chassis.application.tenancy import Tenancy
from service.chassis.errors import Conflict, NotFound
from service.chassis.identity import Action, Permission

# No machine has it: who settles is a person.
MAY_SETTLE = Permission("escalations", Action.ADMINISTER)
SHOWN_AT_ONCE = 100
NONE_THERE = "Nobody was asked about this."

EscalationRow = Row[*tuple[Any, ...]]


async def escalate(tenancy: Tenancy, run_id: UUID, why: str) -> EscalationRow:
    """Who asks again is told of the one that is not settled yet."""
    asked = {"run": run_id, "why": why, "caller": tenancy.caller.subject}
    async with tenancy.transaction(MAY_READ) as session:
        await find_run(tenancy, session, run_id)
        opened = (await session.execute(OPEN, asked)).one_or_none()
        if opened is None:
            return (await session.execute(LATEST, {"run": run_id})).one()
        await record(session, Actor.of(tenancy), "escalation.opened", run_id)
    return opened


async def read_escalation(tenancy: Tenancy, run_id: UUID) -> EscalationRow:
    """The latest."""
    async with tenancy.transaction(MAY_READ) as session:
        await find_run(tenancy, session, run_id)
        latest = (await session.execute(LATEST, {"run": run_id})).one_or_none()
    if latest is None:
        raise NotFound(NONE_THERE)
    return latest


async def list_waiting(tenancy: Tenancy) -> Sequence[EscalationRow]:
    """Who has waited longest comes first; what is settled makes room for the next."""
    async with tenancy.transaction(MAY_SETTLE) as session:
        return (await session.execute(LIST, {"count": SHOWN_AT_ONCE})).all()


async def take(tenancy: Tenancy, run_id: UUID) -> EscalationRow:
    asked = {"run": run_id, "caller": tenancy.caller.subject}
    async with tenancy.transaction(MAY_SETTLE) as session:
        taken = await _moved(session, TAKE, asked)
        await record(session, Actor.of(tenancy), "escalation.taken", run_id)
    return taken


async def settle(tenancy: Tenancy, run_id: UUID, told: str) -> EscalationRow:
    asked = {"run": run_id, "caller": tenancy.caller.subject, "told": told}
    async with tenancy.transaction(MAY_SETTLE) as session:
        settled = await _moved(session, SETTLE, asked)
        await record(session, Actor.of(tenancy), "escalation.settled", run_id)
    return settled


async def _moved(session: AsyncSession, how: Update, asked: dict[str, Any]) -> EscalationRow:
    moved = (await session.execute(how, asked)).one_or_none()
    if moved is not None:
        return moved
    latest = (await session.execute(LATEST, {"run": asked["run"]})).one_or_none()
    if latest is None:
        raise NotFound(NONE_THERE)
    raise Conflict(f"It is {latest.state} already.")
