"""Whoever is known and was refused is on record, once, wherever in the request it was refused."""

from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse

from service.chassis.application.audit import Actor
from service.chassis.application.denials import Denials
from service.chassis.contract.guards import address_of
from service.chassis.contract.problems import problem_of
from service.chassis.errors import Forbidden, ServiceError, SignInAgain
from service.chassis.identity import Caller

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
        denials: Denials = state["denials"]
        actor = Actor(caller.subject, address_of(request))
        await denials.record(caller.tenant_id, actor, ACTIONS[type(error)], state["needed"])
    return problem_of(error)


DENIED: dict[int | type[Exception], Any] = dict.fromkeys(ACTIONS, denied)
