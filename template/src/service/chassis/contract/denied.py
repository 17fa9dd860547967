"""Whoever is known and was refused is on record, once, wherever in the request it was refused."""

from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse

from service.chassis.application.audit import Actor
from service.chassis.application.denials import Denials
from service.chassis.application.idempotency import Attempt
from service.chassis.contract.guards import address_of
from service.chassis.contract.problems import problem_of
from service.chassis.errors import Forbidden, ServiceError, SignInAgain
from service.chassis.identity import Caller
from service.chassis.telemetry.logs import log_failure

ACTIONS: dict[type[Exception], str] = {
    Forbidden: "authorization.denied",
    SignInAgain: "authorization.sign_in_again",
}


async def denied(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ServiceError)
    state = request.scope["state"]
    caller: Caller | None = state.get("caller")
    # Without a need it is a public route, and no permission was refused.
    if caller is not None and "needed" in state:
        await _recorded(request, caller, error)
    return problem_of(error)


async def _recorded(request: Request, caller: Caller, error: ServiceError) -> None:
    """Or logged: whatever becomes of the record, the caller is refused."""
    state = request.scope["state"]
    attempt: Attempt | None = state.get("idempotency")
    denials: Denials = state["denials"]
    actor = Actor(caller.subject, address_of(request))
    try:
        # Who holds one connection and waits for another can wait for ever.
        if attempt is not None:
            await attempt.give_up()
        await denials.record(caller.tenant_id, actor, ACTIONS[type(error)], state["needed"])
    except Exception as failure:  # noqa: BLE001  the refusal is what the caller is told
        log_failure("denial_unrecorded", failure)


DENIED: dict[int | type[Exception], Any] = dict.fromkeys(ACTIONS, denied)
