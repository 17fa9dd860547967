"""Questions to a model: how one stands, what it said, and that it shall stop."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response

from service.chassis.application import run_reading
from service.chassis.application.runs import RunRow
from service.chassis.application.tenancy import Tenancy
from service.chassis.contract.guards import allow, refuse_stranger
from service.chassis.contract.run_states import RunState, run_state
from service.chassis.contract.run_streams import EventStream, RunEvent, run_events
from service.chassis.errors import Unavailable
from service.chassis.identity import Action, Caller

CanFollow = Annotated[Tenancy, allow("runs", Action.READ)]
LastHeard = Annotated[
    int, Header(alias="Last-Event-ID", ge=0, le=2**53, description="Go on after this event.")
]
STREAMED: dict[int | str, dict[str, Any]] = {
    200: {"model": RunEvent, "description": "Events, the oldest first."},
    204: {"description": "The last event was the end."},
}

router = APIRouter(prefix="/runs", tags=["runs"])


def show_run(response: Response, run: RunRow) -> RunState:
    """For the route that asks, which answers 202: where to look, and how it stands."""
    response.headers["location"] = f"/v1/runs/{run.id}"
    return _shown(response, run)


@router.get("/{run_id}")
async def read_run(tenancy: CanFollow, run_id: UUID, response: Response) -> RunState:
    return _shown(response, await run_reading.read_run(tenancy, run_id))


@router.post("/{run_id}/cancel")
async def cancel_run(tenancy: CanFollow, run_id: UUID, response: Response) -> RunState:
    """Cancelling what has ended changes nothing, and shows how it ended."""
    return _shown(response, await run_reading.cancel_run(tenancy, run_id))


@router.get("/{run_id}/events", response_class=EventStream, responses=STREAMED)
async def follow_run(
    tenancy: CanFollow, run_id: UUID, request: Request, last_heard: LastHeard = 0
) -> Response:
    """Every event from the first, or after the last one that was heard; to the end."""
    run = await run_reading.read_run(tenancy, run_id)
    if run.ended_at and last_heard >= run.last_number:
        # What tells a browser that there is nothing to reconnect for.
        return Response(status_code=204)
    again = partial(_refuse_to_go_on, request, tenancy.caller)
    return EventStream(run_events(tenancy, run_id, last_heard, again))


async def _refuse_to_go_on(request: Request, caller: Caller) -> None:
    """A process that stops sends its readers to another one while they can still be told."""
    if request.state.health.draining:
        raise Unavailable("This process is stopping; go on after the last event.")
    await refuse_stranger(request, caller)


def _shown(response: Response, run: RunRow) -> RunState:
    state = run_state(run)
    if seconds := getattr(state, "retry_after", None):
        response.headers["retry-after"] = str(seconds)
    return state
