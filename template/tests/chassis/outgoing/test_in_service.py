"""The service itself sends: what its routes put, and what a process that died left behind."""

from collections.abc import Awaitable, Callable
from typing import Annotated

import pytest
from chassis.outgoing.receiving import SECRETS, until
from chassis.outgoing.senders import Relay, Rows, put
from fastapi import APIRouter

from callers import Client, Person
from service.chassis.app import create_app
from service.chassis.application.system import SystemDoor, tenants_at_work
from service.chassis.application.tenancy import Tenancy
from service.chassis.application.webhooks import Endpoint
from service.chassis.contract.guards import allow
from service.chassis.contract.webhooks import SendsWebhooks
from service.chassis.identity import Action, Role, TenantId
from service.chassis.settings import Settings

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
