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
from service.chassis.contract.sign_in import TokenVerifier
from service.chassis.errors import Unauthenticated
from service.chassis.identity import Action, Caller, Permission


@dataclass(frozen=True)
class Public:
    """Open to strangers, for a reason that a reviewer can read."""

    reason: str


class RouteUndeclared(Exception):
    """A route says neither who may use it nor why everyone may."""


def authenticate(request: Request) -> Caller:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("Send a bearer token in the Authorization header.")
    verifier: TokenVerifier = request.state.token_verifier
    return verifier.caller(token)


def allow(feature: str, action: Action) -> Any:
    permission = Permission(feature, action)

    async def tenancy(request: Request) -> Tenancy:
        caller = authenticate(request)
        caller.require(permission)
        return Tenancy(caller, request.state.intelligence, request.state.database)

    return Depends(_declaring(tenancy, permission))


def public(reason: str) -> Any:
    async def everyone() -> None:
        """Nothing to check; the reason is what counts."""

    return Depends(_declaring(everyone, Public(reason)))


def _declaring(guard: Callable[..., Any], access: Permission | Public) -> Callable[..., Any]:
    guard.declares = access  # type: ignore[attr-defined]
    return guard


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    access: Permission | Public | None


def routes_of(app: FastAPI) -> Iterator[Route]:
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, APIRoute):
            access = next(_declared(context.dependant), None)
            for method in sorted(context.methods or ()):
                yield Route(method, context.path or "", access)
        elif context.path != app.openapi_url:
            yield Route("*", context.path or repr(context.original_route), None)


def _declared(dependant: Dependant) -> Iterator[Permission | Public]:
    for dependency in dependant.dependencies:
        if (access := getattr(dependency.call, "declares", None)) is not None:
            yield access
        yield from _declared(dependency)


def refuse_undeclared(routes: Iterable[Route]) -> None:
    naked = [f"{r.method} {r.path}" for r in routes if r.access is None]
    if naked:
        raise RouteUndeclared(
            f"No guard on: {', '.join(naked)}. Take a tenancy (`tenancy: CanRead`) or add "
            "dependencies=[public('why everyone may')]."
        )
