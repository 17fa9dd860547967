"""The events of a run on the wire: numbered, typed, and good to resume from any of them."""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from typing import Annotated, Literal
from uuid import UUID

from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from pydantic import Field

from service.chassis.application.run_reading import Progress, progress
from service.chassis.application.runs import RunRow
from service.chassis.application.tenancy import Tenancy
from service.chassis.contract.problems import CATALOGUE, problem_body
from service.chassis.contract.run_states import Degraded, Failed, Succeeded, run_state
from service.chassis.contract.shapes import Shown
from service.chassis.errors import RunCancelled, ServiceError, Unavailable
from service.chassis.telemetry.logs import log_failure

# Proxies cut what is silent for long; a page finds out that it hears nothing any more.
HEARTBEAT_SECONDS = 10
FAILED: dict[str, type[ServiceError]] = {
    "cancelled": RunCancelled,
    "interrupted": Unavailable,
    "internal": ServiceError,
}


class ProblemShown(Shown):
    type: str
    title: str
    status: int
    code: str
    message: str
    detail: str
    trace_id: str


class StateSaid(Shown):
    event: Literal["state"] = "state"
    number: int
    state: Literal["pending", "streaming"]


class DeltaSaid(Shown):
    event: Literal["delta"] = "delta"
    number: int
    text: str


class FinalSaid(Shown):
    """The whole answer once more: whoever missed a part has it all."""

    event: Literal["final"] = "final"
    number: int
    run: Succeeded | Degraded


class ErrorSaid(Shown):
    """The end of the run, or (without a number) of this stream: then resume it later."""

    event: Literal["error"] = "error"
    number: int | None
    problem: ProblemShown
    run: Failed | None


RunEvent = Annotated[StateSaid | DeltaSaid | FinalSaid | ErrorSaid, Field(discriminator="event")]


class EventStream(StreamingResponse):
    media_type = "text/event-stream"


async def run_events(
    tenancy: Tenancy, run_id: UUID, after: int, ask_again: Callable[[], Awaitable[None]]
) -> AsyncGenerator[bytes]:
    """All events after that one, to the end of the run or of the caller's rights."""
    try:
        last_sent = time.monotonic()
        async for heard in progress(tenancy, run_id, after):
            for event in _events(heard, after):
                yield _framed(event)
                last_sent = time.monotonic()
            await ask_again()
            if time.monotonic() - last_sent > HEARTBEAT_SECONDS:
                yield KEEPALIVE_COMMENT
                last_sent = time.monotonic()
    except ServiceError as error:
        yield _framed(_broken_off(type(error), str(error)))
    except Exception as error:  # noqa: BLE001  the status is sent; this is all that can be said
        log_failure("stream_failed", error, run=str(run_id))
        yield _framed(_broken_off(ServiceError))


def _events(heard: Progress, after: int) -> Iterator[RunEvent]:
    for said in heard.said:
        if said.kind == "delta":
            yield DeltaSaid(number=said.number, text=said.said)
        else:
            yield StateSaid(number=said.number, state=said.said)
    if heard.is_all and heard.run.last_number > after:
        yield _ending(heard.run)


def _ending(run: RunRow) -> RunEvent:
    state = run_state(run)
    if isinstance(state, Failed):
        shown = _shown(FAILED[state.reason], state.message)
        return ErrorSaid(number=run.last_number, problem=shown, run=state)
    assert isinstance(state, Succeeded | Degraded)
    return FinalSaid(number=run.last_number, run=state)


def _broken_off(kind: type[ServiceError], detail: str | None = None) -> RunEvent:
    return ErrorSaid(number=None, problem=_shown(kind, detail), run=None)


def _shown(kind: type[ServiceError], detail: str | None) -> ProblemShown:
    return ProblemShown(**problem_body(CATALOGUE[kind.code], detail))


def _framed(event: RunEvent) -> bytes:
    """Without an id where there is none: the reader's place stays where it was."""
    number = None if event.number is None else str(event.number)
    # ASCII, because some readers take more than a newline for the end of a line.
    data = event.model_dump_json(ensure_ascii=True)
    return format_sse_event(event=event.event, data_str=data, id=number)
