"""How much each address, account and tenant may ask for. Binds on every route by itself.

slowapi's declarations go on top: `@limiter.limit("5/minute")`, `shared_limit`, `exempt`. slowapi
would count them in a way that blocks the loop, and finds no route of an included router; here one
dependency of the whole application reads the endpoint that was really matched.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from fastapi import Request
from limits import parse_many
from slowapi import Limiter
from slowapi.wrappers import Limit

from service.chassis.application.quotas import Key, Quota
from service.chassis.contract.allowance import Allowance
from service.chassis.contract.front import Visit
from service.chassis.contract.guards import caller_of
from service.chassis.errors import Unauthenticated

SCOPE = re.compile(r"[a-z][a-z0-9_-]{0,63}")
Setting = TypeVar("Setting")
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


class ServiceLimiter(Limiter):
    def __init__(self) -> None:
        self._exempt: set[Callable[..., Any]] = set()
        super().__init__(
            key_func=requester,
            auto_check=False,
            key_style="endpoint",
            headers_enabled=False,
            # Any file but `.env`, which slowapi reads when it is told of none.
            config_filename=str(Path(__file__).with_name("__init__.py")),
        )

    def get_app_config(self, key: str, default_value: Any = None) -> Any:  # noqa: ARG002
        """No variable of the environment switches limits off."""
        return default_value

    def limit(self, limit_value: Any, *args: Any, **kwargs: Any) -> Callable[[Endpoint], Endpoint]:
        return super().limit(_readable(limit_value), *args, **kwargs)

    def shared_limit(
        self, limit_value: Any, scope: Any, *args: Any, **kwargs: Any
    ) -> Callable[[Endpoint], Endpoint]:
        if not (isinstance(scope, str) and SCOPE.fullmatch(scope)):
            raise ValueError("scope: a lower-case word that callers may see")
        return super().shared_limit(_readable(limit_value), scope, *args, **kwargs)

    def exempt(self, obj: Endpoint) -> Endpoint:
        """By identity: slowapi would spare every function of that name in the module."""
        self._exempt.add(obj)
        return obj

    async def __call__(self, request: Request) -> None:
        """For the whole application: `FastAPI(dependencies=[Depends(limiter)])`."""
        scope = request.scope
        visit: Visit = scope["visit"]
        visit.counted = True
        scope["state"]["view_rate_limit"] = None  # slowapi's wrapper of an endpoint reads it
        endpoint = scope["endpoint"]
        if endpoint in self._exempt:
            return
        allowance: Allowance = scope["state"]["allowance"]
        await allowance.of_address(visit)
        try:
            visit.caller = await caller_of(request)
        except Unauthenticated:
            # The guard says so, if there is one; a stale token closes no public route.
            visit.caller = None
        if visit.caller:
            await allowance.of_caller(visit, visit.caller)
        name = f"{endpoint.__module__}.{endpoint.__name__}"
        if name in self._route_limits or name in self._dynamic_route_limits:
            await self._take_declared(request, name, allowance)

    async def _take_declared(self, request: Request, name: str, allowance: Allowance) -> None:
        declared = [*self._route_limits.get(name, ())]
        for group in self._dynamic_route_limits.get(name, ()):
            declared += group.with_request(request)  # type: ignore[no-untyped-call]
        for limit in declared:
            if not _spares(limit, request):
                cost = limit.cost(request) if callable(limit.cost) else limit.cost
                quota = allowance.declared(_scope(limit, name, request.method), limit.limit)
                key: Key = (str(limit.key_func(request)),)
                await allowance.take(request.scope["visit"], quota, key, cost, _words(limit, quota))


def requester(request: Request) -> str:
    """The account if there is one, otherwise the address."""
    visit: Visit = request.scope["visit"]
    caller = visit.caller
    return f"{caller.tenant_id} {caller.subject}" if caller else visit.address


def _readable(limit_value: Setting) -> Setting:
    """slowapi logs a limit that it cannot read, and goes on without."""
    if isinstance(limit_value, str):
        parse_many(limit_value)
    return limit_value


def _spares(limit: Limit, request: Request) -> bool:
    other_method = limit.methods and request.method.lower() not in limit.methods
    return bool(other_method) or limit.is_exempt(request)


def _scope(limit: Limit, name: str, method: str) -> str:
    scope = limit.scope or f"route:{name}"
    return f"{scope}:{method}" if limit.per_method else scope


def _words(limit: Limit, quota: Quota) -> str:
    given = limit.error_message() if callable(limit.error_message) else limit.error_message
    return given or f"The limit of this {quota.label} is reached: {limit.limit}."


limiter = ServiceLimiter()
