"""The first count: floods that reach no route, and what every request takes along."""

from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.chassis.application.local_counts import InFlight, LocalCounts, Standing
from service.chassis.application.quotas import Quota
from service.chassis.contract.address import Addresses
from service.chassis.contract.problems import CATALOGUE, problem
from service.chassis.contract.rate_fields import fields
from service.chassis.identity import Caller

STRAY_SECONDS = 60
# Who routes traffic asks these from one address, and a 429 would take the service out.
PROBES = frozenset({"/livez", "/readyz", "/startupz"})


@dataclass(slots=True)
class Visit:
    """One request, as the limits see it."""

    address: str
    # In full, for the record.
    origin: str = ""
    counted: bool = False
    status: int = 0
    standings: list[tuple[Quota, Standing]] = field(default_factory=list)
    caller: Caller | None = None
    entered: tuple[InFlight, int] | None = None
    # Of a route that will end.
    announced: list[tuple[bytes, bytes]] = field(default_factory=list)


class Front:
    """Refuses addresses whose requests keep ending before any other limit has seen them."""

    def __init__(self, app: ASGIApp, addresses: Addresses, strays_per_minute: int) -> None:
        self._app = app
        self._addresses = addresses
        self._strays = LocalCounts()
        self._strays_per_minute = strays_per_minute

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        address = self._addresses.of(scope)
        visit = scope["visit"] = Visit(self._addresses.counted(address), address)
        if self._is_flooding(visit.address) and scope["path"] not in PROBES:
            refusal = problem(CATALOGUE["too-many-requests"], headers={"retry-after": "1"})
            return await refusal(scope, receive, send)

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                visit.status = message["status"]
                if visit.standings:
                    message["headers"] = [*message.get("headers", ()), *fields(visit.standings)]
                if visit.announced:
                    message["headers"] = [*message.get("headers", ()), *visit.announced]
            await send(message)

        try:
            return await self._app(scope, receive, send_counted)
        finally:
            self._end(visit)

    def _is_flooding(self, address: str) -> bool:
        return self._strays.full(address, self._strays_per_minute, STRAY_SECONDS)

    def _end(self, visit: Visit) -> None:
        if visit.entered:
            in_flight, tenant = visit.entered
            in_flight.leave(tenant)
        if not visit.counted or visit.status == 401:
            self._strays.take(visit.address, self._strays_per_minute, STRAY_SECONDS)
