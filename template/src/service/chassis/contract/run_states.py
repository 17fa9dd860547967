"""How a question to a model stands: one union for the answer, the poll and the stream."""

from hashlib import sha256
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from service.chassis.application.runs import RunRow
from service.chassis.contract.shapes import Shown
from service.chassis.contract.words import of_run

# Seconds after which looking again is worth it.
SOON, LATER = 1, 30
DegradedReason = Literal["cut_short", "too_slow", "model_unavailable"]
FailedReason = Literal["cancelled", "interrupted", "internal"]


class Usage(Shown):
    """Counted here, not taken from what a model says of itself."""

    asked_characters: int
    answered_characters: int


class Confidence(Shown):
    score: Annotated[float, Field(ge=0, le=1)]
    method: str


class Citation(Shown):
    id: str
    title: str


class ModelAnswer(Shown):
    text: str
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="Of the text in UTF-8.")]
    ai_generated: Literal[True] = True
    # From a registered estimator or nobody, from what was retrieved or nowhere: never from what
    # the model says.
    confidence: Confidence | None = None
    citations: list[Citation] = []
    usage: Usage


class RunShown(Shown):
    run_id: UUID
    operation: str


class Pending(RunShown):
    """Asked, and nothing is said yet."""

    state: Literal["pending"] = "pending"
    retry_after: int = SOON


class Streaming(RunShown):
    """Being said; the events tell what."""

    state: Literal["streaming"] = "streaming"
    retry_after: int = SOON


class Succeeded(RunShown):
    state: Literal["succeeded"] = "succeeded"
    answer: ModelAnswer


class Degraded(RunShown):
    """Less than was asked for: perhaps a part of the answer, and words to show with it."""

    state: Literal["degraded"] = "degraded"
    reason: DegradedReason
    message: str
    answer: ModelAnswer | None
    retry_after: int = LATER


class Failed(RunShown):
    state: Literal["failed"] = "failed"
    reason: FailedReason
    message: str
    retry_after: int | None


RunState = Annotated[
    Pending | Streaming | Succeeded | Degraded | Failed, Field(discriminator="state")
]


def run_state(run: RunRow) -> RunState:
    named = {"run_id": run.id, "operation": run.operation}
    match run.state:
        case "pending":
            return Pending(**named)
        case "streaming":
            return Streaming(**named)
        case "succeeded":
            return Succeeded(**named, answer=_answer(run))
        case "degraded":
            answer = _answer(run) if run.answer else None
            return Degraded(**named, **_said_of(run), answer=answer)
        case _:
            again = None if run.reason == "cancelled" else LATER
            return Failed(**named, **_said_of(run), retry_after=again)


def _said_of(run: RunRow) -> dict[str, Any]:
    return {"reason": run.reason, "message": of_run(run.reason).message}


def _answer(run: RunRow) -> ModelAnswer:
    text: str = run.answer or ""
    usage = Usage(asked_characters=run.asked_characters, answered_characters=len(text))
    return ModelAnswer(
        text=text,
        sha256=sha256(text.encode()).hexdigest(),
        confidence=confidence_in(run),
        citations=[Citation(**each) for each in run.sources if each["id"] in run.cited],
        usage=usage,
    )


def confidence_in(run: RunRow) -> Confidence | None:
    if run.estimator is None:
        return None
    return Confidence(score=run.confidence, method=run.estimator)
