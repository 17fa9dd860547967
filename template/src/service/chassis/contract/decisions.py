"""How an answer came about, and what the one who asked thought of it."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from service.chassis.application import feedback, run_reading
from service.chassis.application.runs import RunRow
from service.chassis.contract.disclosure import ModelShown
from service.chassis.contract.run_states import Confidence, confidence_in
from service.chassis.contract.runs import CanFollow
from service.chassis.contract.shapes import Accepted, Shown, StorableText

Reason = Literal["incorrect", "incomplete", "off_topic", "outdated", "harmful", "other"]

router = APIRouter(prefix="/runs/{run_id}", tags=["runs"])


class SourceShown(Shown):
    """Retrieved for the question; whether the answer says that it rests on it."""

    id: str
    title: str
    cited: bool


class DecisionView(Shown):
    """What was asked of which model, by whom and when, and what came of it; no words of either."""

    run_id: UUID
    operation: str
    prompt_version: int | None
    model: ModelShown | None
    asked_by: str
    asked_at: datetime
    ended_at: datetime | None
    state: Literal["pending", "streaming", "succeeded", "degraded", "failed"]
    reason: str | None
    sources: list[SourceShown]
    confidence: Confidence | None
    answer_sha256: str | None


class FeedbackGiven(Accepted):
    helpful: Annotated[bool, Field(examples=[True])]
    reason: Reason | None = None
    comment: Annotated[StorableText, Field(max_length=2000)] | None = None


class FeedbackView(Shown):
    helpful: bool
    reason: Reason | None
    comment: str | None
    given_at: datetime


@router.get("/decision")
async def read_decision(tenancy: CanFollow, run_id: UUID) -> DecisionView:
    """For the one who asked."""
    return _decision(await run_reading.read_run(tenancy, run_id))


@router.put("/feedback")
async def give_feedback(tenancy: CanFollow, run_id: UUID, given: FeedbackGiven) -> FeedbackView:
    """Whether it helped; the last word counts."""
    said = await feedback.give_feedback(
        tenancy, run_id, helpful=given.helpful, reason=given.reason, comment=given.comment
    )
    return FeedbackView.model_validate(said)


def _decision(run: RunRow) -> DecisionView:
    return DecisionView(
        run_id=run.id,
        operation=run.operation,
        prompt_version=run.prompt_version,
        model=ModelShown(name=run.model, version=run.model_version) if run.model else None,
        asked_by=run.asked_by,
        asked_at=run.asked_at,
        ended_at=run.ended_at,
        state=run.state,
        reason=run.reason,
        sources=[SourceShown(**each, cited=each["id"] in run.cited) for each in run.sources],
        confidence=confidence_in(run),
        answer_sha256=run.answer_sha256,
    )
