"""/livez, /readyz and /startupz, for whoever routes traffic and restarts processes."""

from typing import Literal

from fastapi import APIRouter, Request

from service.chassis.contract.guards import public
from service.chassis.contract.limits import limiter
from service.chassis.contract.shapes import Shown
from service.chassis.errors import Unavailable
from service.chassis.telemetry.health import Health

router = APIRouter(tags=["probes"], dependencies=[public("load balancers have no account")])


class Liveness(Shown):
    status: Literal["alive"] = "alive"


class Readiness(Shown):
    status: Literal["ready"] = "ready"
    checks: dict[str, Literal["ok", "down"]]


class Startup(Shown):
    status: Literal["started"] = "started"


def _health(request: Request) -> Health:
    health: Health = request.state.health
    return health


@router.get("/livez")
@limiter.exempt
async def live() -> Liveness:
    """The process answers. Says nothing of what it depends on: a restart would not help."""
    return Liveness()


@router.get("/readyz")
@limiter.exempt
async def ready(request: Request) -> Readiness:
    """Send traffic here, or stop sending it: 503 while draining or without the database."""
    able, checks = await _health(request).ready()
    if not able:
        down = [name for name, state in checks.items() if state == "down"]
        raise Unavailable(f"Not ready: {', '.join(down) or 'starting or draining'}.")
    return Readiness(checks=checks)


@router.get("/startupz")
@limiter.exempt
async def started(request: Request) -> Startup:
    if not _health(request).started:
        raise Unavailable("Still starting.")
    return Startup()
