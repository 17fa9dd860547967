"""The service itself sends: what its routes put, and what a process that died left behind."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from time import time
from typing import Annotated, Any
from uuid import uuid4

import pytest
from chassis.outgoing.receiving import SECRETS, loopback, until
from chassis.outgoing.senders import Relay, Rows, hanging, leading_to, put
from fastapi import APIRouter

from callers import KEY, Client, Person
from service.chassis import parts
from service.chassis.app import create_app
from service.chassis.application.outbound import Bounds, Outbound
from service.chassis.application.providers import Provider, Providers
from service.chassis.application.system import SystemDoor, tenants_at_work
from service.chassis.application.tenancy import Tenancy
from service.chassis.application.webhooks import Endpoint
from service.chassis.contract.guards import allow
from service.chassis.contract.webhooks import SendsWebhooks
from service.chassis.errors import Unavailable
from service.chassis.identity import Action, Caller, Role, SessionId, TenantId
from service.chassis.sections import IdentitySettings
from service.chassis.settings import Settings
from service.chassis.trust import TrustedProvider
from strangers import Stranger, stranger

CanRead = Annotated[Tenancy, allow("notes", Action.READ)]
TRIED = "SELECT id::text FROM outgoing WHERE attempts > 0"
router = APIRouter()


@router.post("/told")
async def tell(tenancy: CanRead, outgoing: SendsWebhooks) -> str:
    async with tenancy.transaction() as session:
        return str(await outgoing.put(tenancy, session, "hook", b"{}"))


async def inside(_tenancy: Tenancy, _destination: str) -> Endpoint:
    """Where nothing may be sent: it is tried, refused and tried again."""
    return Endpoint("https://127.0.0.1/", SECRETS)


@pytest.mark.case("C-08")
async def test_the_service_sends_what_it_put_and_what_the_dead_left_behind(
    settings: Settings, acme: TenantId, rival: TenantId, relay: Relay, rows: Rows
) -> None:
    left = await put(relay(), rival)
    app = create_app(settings, [router], endpoint_of=inside)
    async with app.router.lifespan_context(app) as state:
        app.state.given = state
        told = await Client(app, Person(app, acme, Role.VIEWER)).post("/v1/told")

        async def tried() -> bool:
            return bool(await rows(acme, TRIED) and await rows(rival, TRIED))

        await until(tried)
    assert await rows(acme, TRIED) == [(told.json(),)]
    assert await rows(rival, TRIED) == [(left,)]


def narrow(**_: Any) -> Outbound:
    """A way out that one call fills; to this machine, which no setting can allow."""
    return Outbound(loopback(), Bounds(connections=1))


@pytest.fixture
def trusting(settings: Settings) -> Settings:
    sealing = IdentitySettings.model_validate({"signing_key": KEY, "sealing_key": KEY[::-1]})
    return settings.model_copy(update={"identity": sealing})


async def test_what_hangs_where_webhooks_go_holds_up_neither_routes_nor_sign_in(
    trusting: Settings, acme: TenantId, rival: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "Outbound", narrow)
    async with hanging() as (server, over), stranger() as issuer:
        app = create_app(trusting, [router], endpoint_of=leading_to(server))
        async with app.router.lifespan_context(app) as state:
            app.state.given = state
            assert (await Client(app, Person(app, acme, Role.VIEWER)).post("/v1/told")).is_success
            await until(partial(arrived, server, 1))
            called = asyncio.create_task(
                app.state.given["outbound"].get(f"http://127.0.0.1:{server.port}/")
            )
            await until(partial(arrived, server, 2), 2)
            provider = await added(app.state.given, rival, f"http://127.0.0.1:{issuer.port}")
            with pytest.raises(Unavailable):
                await provider.issuer.metadata()
            assert await arrived(issuer, 1), "it was asked, and said no more than ok"
            over.set()
            await called


async def arrived(server: Stranger, count: int) -> bool:
    return len(server.heads) >= count


async def added(given: Any, tenant: TenantId, issuer: str) -> Provider:
    """Typed by a tenant's owner."""
    owner = Caller(
        str(uuid4()), tenant, Role.OWNER, session_id=SessionId(uuid4()), authenticated_at=time()
    )
    values = {"name": "own", "issuer": issuer, "client_id": "service", "client_secret": KEY}
    typed = TrustedProvider.model_validate(values | {"algorithm": "ES256"})
    providers: Providers = given["providers"]
    await providers.add(Tenancy(owner, given["intelligence"], given["database"]), typed)
    return await providers.find(tenant, "own")


async def test_a_service_that_says_not_where_to_takes_nothing(
    settings: Settings, acme: TenantId, rows: Rows
) -> None:
    app = create_app(settings, [router])
    async with app.router.lifespan_context(app) as state:
        app.state.given = state
        client = Client(app, Person(app, acme, Role.VIEWER))
        assert (await client.post("/v1/told")).status_code == 500
    assert await rows(acme, "SELECT id FROM outgoing") == []


async def test_a_service_that_could_not_find_what_the_dead_left_does_not_start(
    settings: Settings,
) -> None:
    blind = settings.database.model_copy(update={"system_url": None})
    app = create_app(settings.model_copy(update={"database": blind}), [], endpoint_of=inside)
    with pytest.raises(RuntimeError, match="DATABASE_SYSTEM_URL"):
        async with app.router.lifespan_context(app):
            pytest.fail("it started")


async def test_tenants_at_work_are_those_not_suspended(
    door: SystemDoor, acme: TenantId, rival: TenantId, suspend: Callable[..., Awaitable[None]]
) -> None:
    await suspend(rival)
    found = await tenants_at_work(door, actor="tests")
    assert acme in found
    assert rival not in found
