"""No route is open by omission."""

import re
from uuid import uuid4

import pytest
from fastapi import APIRouter

from callers import Client, ClientFor
from service.chassis.app import Service, create_app
from service.chassis.contract.guards import Public, RouteUndeclared, routes_of
from service.chassis.contract.webhooks import Signed
from service.chassis.identity import GRANTED, Action, Permission, Role, TenantId
from service.chassis.settings import Settings
from service.product import FEATURES

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
# The last two begin and end a sign-in, whose state only its own browser holds.
LOOKED_AT = {"/docs", "/livez", "/readyz", "/startupz"} | {
    "/v1/sign-in/{tenant_id}/{provider}",
    "/v1/sign-in/callback/{key}",
}


def url(path: str) -> str:
    return re.sub(r"{\w+}", str(uuid4()), path)


async def test_every_route_turns_a_stranger_away_unless_it_says_why_not(
    app: Service, client_for: ClientFor
) -> None:
    stranger, open_routes = client_for(None), 0
    for route in routes_of(app):
        response = await stranger.request(route.method, url(route.path), json={})
        if isinstance(route.access, Public):
            open_routes += 1
            assert route.access.reason
            unsigned = isinstance(route.access, Signed)
            assert (response.status_code == 401) is unsigned, route
        else:
            assert response.status_code == 401, route
            assert response.headers["www-authenticate"] == "Bearer"
    assert open_routes >= 3, "the probes at least are public"


@pytest.mark.parametrize("role", Role)
async def test_every_route_refuses_the_roles_that_lack_its_permission(
    app: Service, client_for: ClientFor, acme: TenantId, role: Role
) -> None:
    client = client_for(acme, role)
    for route in routes_of(app):
        if not isinstance(route.access, Permission):
            continue
        response = await client.request(route.method, url(route.path), json={})
        refused = response.status_code == 403
        assert refused is (route.access.action not in GRANTED[role]), (route, role)


def test_no_safe_method_is_declared_to_write(settings: Settings) -> None:
    """What administers may be read; what is open to all and safe has been looked at."""
    routes = [route for route in routes_of(create_app(settings, [])) if route.method in SAFE]
    permissions = [route.access for route in routes if isinstance(route.access, Permission)]
    assert {access.action for access in permissions} == {Action.READ, Action.ADMINISTER}
    administer = {route.path for route in routes if str(route.access).endswith(":administer")}
    audit = ("/v1/audit", "/v1/audit/export", "/v1/audit/verdict")
    assert administer == {"/v1/api-keys", "/v1/escalations", *audit}
    assert {route.path for route in routes if isinstance(route.access, Public)} == LOOKED_AT
    unsafe = [route for route in routes_of(create_app(settings, [])) if route.method not in SAFE]
    assert len(unsafe) > 20


@pytest.mark.case("Z-02")
async def test_an_undeclared_route_stops_the_start(settings: Settings) -> None:
    naked = APIRouter()

    @naked.get("/naked")
    async def forgotten() -> None: ...

    nested = APIRouter(prefix="/nested")
    nested.include_router(naked)
    app = create_app(settings, [*FEATURES, nested])
    with pytest.raises(RouteUndeclared, match="GET /v1/nested/naked"):
        async with app.router.lifespan_context(app):
            pass


@pytest.mark.case("Z-02")
async def test_a_route_added_past_the_factory_is_seen_too(settings: Settings) -> None:
    app = create_app(settings, FEATURES)

    @app.get("/late")
    async def late() -> None: ...

    app.mount("/mounted", app=create_app(settings, []))
    with pytest.raises(RouteUndeclared, match=r"GET /late.*\* /mounted"):
        async with app.router.lifespan_context(app):
            pass


async def test_the_openapi_document_names_no_route_that_the_check_did_not_see(
    app: Service, ana: Client
) -> None:
    documented = {
        (method.upper(), path)
        for path, methods in (await ana.get("/openapi.json")).json()["paths"].items()
        for method in methods
    }
    seen = {(route.method, route.path) for route in routes_of(app)}
    assert documented == seen - {("GET", "/docs")}
