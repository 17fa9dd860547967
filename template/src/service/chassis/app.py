"""The composition root: what strangers can reach, in which order it sees a request."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from starlette.types import ASGIApp

from service.chassis.application.issuers import Issuers
from service.chassis.application.jobs import NO_JOBS, Declared
from service.chassis.application.outgoing import EndpointOf
from service.chassis.contract import (
    accounts,
    api_keys,
    api_page,
    audit,
    audit_export,
    cookies,
    decisions,
    disclosure,
    escalations,
    members,
    probes,
    runs,
    sessions,
)
from service.chassis.contract.address import Addresses
from service.chassis.contract.cors import KnownPages
from service.chassis.contract.denied import DENIED
from service.chassis.contract.envelope import Envelope
from service.chassis.contract.front import Front
from service.chassis.contract.guards import routes_of, with_key_parameter
from service.chassis.contract.idempotency import Idempotency, Replayed, show_again
from service.chassis.contract.intake import Intake
from service.chassis.contract.interface import VERSIONED, completed
from service.chassis.contract.limits import limiter
from service.chassis.contract.problems import HANDLERS
from service.chassis.contract.sign_in import SignedIn, join, sign_in_router
from service.chassis.intelligence.gateway import LocalModel, Model
from service.chassis.parts import living
from service.chassis.sections import origins_in
from service.chassis.settings import Settings, about
from service.chassis.telemetry.logs import configure_logs

CHASSIS = (
    sessions.router,
    cookies.router,
    members.router,
    api_keys.router,
    audit.router,
    audit_export.router,
    runs.router,
    decisions.router,
    escalations.router,
    disclosure.router,
)

# `contract/api_page.py` is ours.
OWN_PAGES_OFF: dict[str, Any] = {"docs_url": None, "redoc_url": None}


class Service(FastAPI):
    """FastAPI inside layers that also cover what FastAPI answers on its own."""

    settings: Settings
    # For `python -m service worker`, which does what this application puts.
    jobs: Declared
    model: Model

    def build_middleware_stack(self) -> ASGIApp:
        http = self.settings.http
        stack: ASGIApp = Intake(Idempotency(super().build_middleware_stack(), http), http)
        if origins := origins_in(http.cors_origins):
            stack = KnownPages(stack, origins)
        addresses = Addresses(http.trusted_proxies)
        stack = Front(stack, addresses, self.settings.limits.strays_per_minute)
        return Envelope(stack, http.max_body_bytes)

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            document = with_key_parameter(super().openapi(), routes_of(self))
            self.openapi_schema = completed(document, routes_of(self))
        return self.openapi_schema


def create_app(
    settings: Settings,
    features: Sequence[APIRouter],
    *,
    model: Model | None = None,
    issuers: Issuers | None = None,
    signed_in: SignedIn = join,
    endpoint_of: EndpointOf | None = None,
    jobs: Declared = NO_JOBS,
) -> Service:
    """Everything that strangers can reach, or an error that says why it may not start."""
    configure_logs(settings)
    app = Service(
        title=about().name,
        description=about().description,
        contact={"name": about().owner},
        lifespan=living(settings, model or LocalModel(), issuers, endpoint_of, jobs),
        dependencies=[Depends(limiter)],
        exception_handlers={**HANDLERS, **DENIED, Replayed: show_again},
        max_body_size=settings.http.max_body_bytes,
        openapi_url=None if settings.production else "/openapi.json",
        **OWN_PAGES_OFF,
        # A redirect would follow whatever Host the caller sent.
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.settings, app.jobs, app.model = settings, jobs, model or LocalModel()
    app.state.asked = {}
    _mount(app, (sign_in_router(signed_in), *CHASSIS, *features))
    return app


def _mount(app: Service, routers: Sequence[APIRouter]) -> None:
    app.include_router(probes.router)
    if not app.settings.production:
        app.include_router(api_page.router)
    own = (accounts.router,) if app.settings.offers_accounts else ()
    for router in (*own, *routers):
        # A router may say its version itself: `APIRouter(prefix="/v2/notes")`.
        app.include_router(router, prefix="" if VERSIONED.match(router.prefix) else "/v1")
