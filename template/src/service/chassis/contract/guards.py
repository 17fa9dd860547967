"""Who may use a route. `allow()` is the only door from HTTP to a tenancy.

A route that declares neither `allow(...)` nor `public(...)` stops the service at start-up.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from service.chassis.application.tenancy import Tenancy
from service.chassis.contract.asked import refuse_unasked
from service.chassis.contract.asking import Asks, asks_of
from service.chassis.contract.credentials import Credentials
from service.chassis.contract.deprecation import Deprecation, deprecation_of
from service.chassis.contract.idempotency import (
    KEY_PARAMETER,
    UNSAFE,
    key_required,
    transactions_for,
    unstored,
)
from service.chassis.contract.same_origin import credential_in_cookie
from service.chassis.errors import Unauthenticated
from service.chassis.identity import Action, Caller, Permission

NO_CREDENTIALS = "Send a bearer token in the Authorization header."


@dataclass(frozen=True)
class Public:
    """Open to strangers, for a reason that a reviewer can read."""

    reason: str


class RouteUndeclared(Exception):
    """A route says neither who may use it nor why everyone may."""


async def caller_of(request: Request) -> Caller | None:
    """Nobody without credentials; with bad ones, an error. Asked once in a request."""
    state = request.scope["state"]
    if "refused" in state:
        raise state["refused"]
    if "caller" not in state:
        try:
            state["caller"] = await _identified(request)
        except Unauthenticated as refused:
            state["refused"] = refused
            raise
    caller: Caller | None = state["caller"]
    return caller


async def _identified(request: Request) -> Caller | None:
    sent = request.headers.get("authorization")
    credential = credential_in_cookie(request) if sent is None else _bearer(sent)
    if credential is None:
        return None
    credentials: Credentials = request.state.credentials
    return await credentials.caller(credential, address_of(request))


def _bearer(sent: str) -> str:
    scheme, _, credential = sent.partition(" ")
    if scheme.lower() != "bearer" or not credential:
        raise Unauthenticated(NO_CREDENTIALS)
    return credential


async def refuse_stranger(request: Request, caller: Caller) -> None:
    """Asked again and again while an answer takes minutes: what ended since ends it, too."""
    now = await _identified(request)
    if now is None or now.subject != caller.subject:
        raise Unauthenticated(NO_CREDENTIALS)


async def signed_in(request: Request) -> Caller:
    caller = await caller_of(request)
    if caller is None:
        raise Unauthenticated(NO_CREDENTIALS)
    return caller


def allow(feature: str, action: Action) -> Any:
    permission = Permission(feature, action)

    async def tenancy(request: Request) -> Tenancy:
        caller = await signed_in(request)
        state = request.scope["state"]
        # For the record, should it be refused.
        state["needed"] = permission
        caller.require(permission)
        refuse_unasked(request)
        database = await transactions_for(request, caller)
        return Tenancy(caller, state["intelligence"], database, address_of(request))

    return Depends(declaring(tenancy, permission))


def address_of(request: Request) -> str:
    address: str = request.scope["visit"].origin
    return address


def public(reason: str) -> Any:
    async def everyone(request: Request) -> None:
        refuse_unasked(request)

    return Depends(declaring(everyone, Public(reason)))


def declaring(guard: Callable[..., Any], access: Permission | Public) -> Callable[..., Any]:
    guard.declares = access  # type: ignore[attr-defined]
    return guard


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    access: Permission | Public | None
    wants_key: bool = False
    # What it answers with, and whether that is kept for a retry.
    answer: Any = None
    unstored: bool = False
    deprecation: Deprecation | None = None
    asks: tuple[Asks, ...] = ()


def routes_of(app: FastAPI) -> Iterator[Route]:
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, APIRoute):
            access = next(_declared(context.dependant), None)
            wants_key = _depends_on(context.dependant, key_required)
            shown_once = _depends_on(context.dependant, unstored)
            answer = context.original_route.response_model
            ends, asked = deprecation_of(context.dependant), asks_of(context.dependant)
            for method in sorted(context.methods or ()):
                path = context.path_format or ""
                yield Route(method, path, access, wants_key, answer, shown_once, ends, asked)
        elif context.path != app.openapi_url:
            yield Route("*", context.path or repr(context.original_route), None)


def _declared(dependant: Dependant) -> Iterator[Permission | Public]:
    for dependency in dependant.dependencies:
        if (access := getattr(dependency.call, "declares", None)) is not None:
            yield access
        yield from _declared(dependency)


def _depends_on(dependant: Dependant, call: Callable[..., Any]) -> bool:
    return any(d.call is call or _depends_on(d, call) for d in dependant.dependencies)


def with_key_parameter(document: dict[str, Any], routes: Iterable[Route]) -> dict[str, Any]:
    """The OpenAPI document, telling of the key wherever one has an effect."""
    for route in routes:
        operation = document["paths"].get(route.path, {}).get(route.method.lower())
        if operation and route.method in UNSAFE and isinstance(route.access, Permission):
            parameter = {**KEY_PARAMETER, "required": route.wants_key}
            operation.setdefault("parameters", []).append(parameter)
    return document


def refuse_undeclared(routes: Iterable[Route]) -> None:
    naked = [f"{r.method} {r.path}" for r in routes if r.access is None]
    if naked:
        raise RouteUndeclared(
            f"No guard on: {', '.join(naked)}. Take a tenancy (`tenancy: CanRead`) or add "
            "dependencies=[public('why everyone may')]."
        )
