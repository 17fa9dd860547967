"""The composition root: the only module that knows every part."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp

from service.chassis.application.capability import CapabilityKey
from service.chassis.application.database import Database
from service.chassis.application.posture import refuse_unsafe_database
from service.chassis.contract import probes
from service.chassis.contract.envelope import Envelope
from service.chassis.contract.guards import refuse_undeclared, routes_of
from service.chassis.contract.pages import Cursors
from service.chassis.contract.problems import HANDLERS
from service.chassis.contract.sign_in import TokenVerifier
from service.chassis.intelligence.gateway import Intelligence, LocalModel, Model
from service.chassis.settings import Settings, about
from service.chassis.telemetry.health import Health
from service.chassis.telemetry.logs import configure_logs

if TYPE_CHECKING:
    from redis.asyncio import Redis

Parts = dict[str, Any]


class Service(FastAPI):
    """FastAPI inside an envelope that also covers what FastAPI answers on its own."""

    max_body_bytes: int

    def build_middleware_stack(self) -> ASGIApp:
        return Envelope(super().build_middleware_stack(), self.max_body_bytes)


def create_app(
    settings: Settings, features: Sequence[APIRouter], *, model: Model | None = None
) -> Service:
    """Everything that strangers can reach, or an error that says why it may not start."""
    configure_logs(settings)
    app = Service(
        title=about().name,
        description=about().description,
        contact={"name": about().owner},
        lifespan=_lifespan(settings, model or LocalModel()),
        exception_handlers=HANDLERS,
        max_body_size=settings.http.max_body_bytes,
        openapi_url=None if settings.production else "/openapi.json",
        docs_url=None,
        redoc_url=None,
        # A redirect would follow whatever Host the caller sent.
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.max_body_bytes = settings.http.max_body_bytes
    app.include_router(probes.router)
    for router in features:
        app.include_router(router, prefix="/v1")
    return app


def _lifespan(settings: Settings, model: Model) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[Parts]:
        # At start-up and not in the factory, so that what `main.py` added is covered too.
        refuse_undeclared(routes_of(app))
        database = Database(settings.database, CapabilityKey.of(settings.tenancy))
        valkey = _valkey(settings)
        health = Health({"database": database.ping}, {"valkey": valkey.ping})
        app.state.health = health
        try:
            await refuse_unsafe_database(database, production=settings.production)
            health.started = True
            yield _parts(settings, database, model, health)
        finally:
            health.draining = True
            await valkey.aclose()
            await database.engine.dispose()

    return lifespan


def _parts(settings: Settings, database: Database, model: Model, health: Health) -> Parts:
    return {
        "database": database,
        "intelligence": Intelligence(model),
        "token_verifier": TokenVerifier(settings.identity),
        "cursors": Cursors(settings.http.cursor_key.get_secret_value()),
        "health": health,
    }


def _valkey(settings: Settings) -> "Redis":
    # A tenth of a second that no command should pay which only imports the application.
    from redis.asyncio import Redis  # noqa: PLC0415

    return Redis.from_url(settings.valkey.url.get_secret_value())
