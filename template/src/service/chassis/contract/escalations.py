"""Asking a person about an answer, and being that person."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from service.chassis.application import escalations
from service.chassis.application.tenancy import Tenancy
from service.chassis.contract.guards import allow
from service.chassis.contract.runs import CanFollow
from service.chassis.contract.shapes import Accepted, Shown, StorableText
from service.chassis.identity import Action

CanSettle = Annotated[Tenancy, allow("escalations", Action.ADMINISTER)]
Words = Annotated[StorableText, Field(min_length=1, max_length=2000)]

router = APIRouter(tags=["runs"])


class EscalationAsked(Accepted):
    reason: Annotated[Words, Field(examples=["The answer contradicts its source."])]


class EscalationSettled(Accepted):
    outcome: Annotated[Words, Field(examples=["It was outdated; the new text is on page 4."])]


class EscalationView(Shown):
    run_id: UUID
    state: Literal["open", "taken", "settled"]
    reason: str
    asked_at: datetime
    taken_at: datetime | None
    settled_at: datetime | None
    outcome: str | None


class WaitingView(EscalationView):
    """With the answer: who asks a person about it shows it to them."""

    asked_by: str
    taken_by: str | None
    operation: str
    answer: str | None


@router.post("/runs/{run_id}/escalation")
async def escalate(tenancy: CanFollow, run_id: UUID, asked: EscalationAsked) -> EscalationView:
    """One at a time: who asks again is shown the one that is not settled yet."""
    row = await escalations.escalate(tenancy, run_id, asked.reason)
    return EscalationView.model_validate(row)


@router.get("/runs/{run_id}/escalation")
async def read_escalation(tenancy: CanFollow, run_id: UUID) -> EscalationView:
    """The latest, for the one who asked."""
    return EscalationView.model_validate(await escalations.read_escalation(tenancy, run_id))


@router.get("/escalations")
async def list_escalations(tenancy: CanSettle) -> list[WaitingView]:
    """The hundred that have waited longest."""
    return [WaitingView.model_validate(row) for row in await escalations.list_waiting(tenancy)]


@router.post("/runs/{run_id}/escalation/take")
async def take_escalation(tenancy: CanSettle, run_id: UUID) -> EscalationView:
    """Others see that somebody is at it."""
    return EscalationView.model_validate(await escalations.take(tenancy, run_id))


@router.post("/runs/{run_id}/escalation/settle")
async def settle_escalation(
    tenancy: CanSettle, run_id: UUID, settled: EscalationSettled
) -> EscalationView:
    """With words for the one who asked."""
    row = await escalations.settle(tenancy, run_id, settled.outcome)
    return EscalationView.model_validate(row)
