"""One queue for all tenants: bounded, and fair to who asks for little."""

from typing import Annotated, Any

import pytest
from chassis.jobs.asking import Asker
from chassis.jobs.chores import DECLARED, Tally
from chassis.jobs.conftest import AskerIn
from chassis.jobs.implementations import Implementation, working
from fastapi import APIRouter

from callers import Client, Person
from service.chassis.app import create_app
from service.chassis.application.tenancy import Tenancy
from service.chassis.contract.guards import allow
from service.chassis.contract.jobs import PutsJobs
from service.chassis.errors import Unavailable
from service.chassis.identity import Action, Role, TenantId
from service.chassis.settings import Settings

CanWrite = Annotated[Tenancy, allow("deeds", Action.WRITE)]
BEHIND = "SELECT count(*) FROM jobs WHERE started_at < :than"
STARTED = "SELECT started_at FROM jobs"
AT_ONCE = 4
router = APIRouter()


@router.post("/deeds")
async def put_deed(tenancy: CanWrite, jobs: PutsJobs) -> str:
    async with tenancy.transaction() as session:
        return str(await jobs.put(tenancy, session, Tally(name="a")))


async def test_one_tenant_can_put_only_so_much(asker_in: AskerIn, acme: TenantId) -> None:
    asker = await asker_in(acme, tenant_waiting=3)
    await asker.put_all([Tally(name=str(n)) for n in range(3)])
    with pytest.raises(Unavailable) as refused:
        await asker.put(Tally(name="more"))
    assert refused.value.retry_after == 60
    assert await asker.states() == {"pending": 3}


async def test_all_tenants_together_can_put_only_so_much(
    asker_in: AskerIn, acme: TenantId, rival: TenantId, waiting: int
) -> None:
    ana, ben = [await asker_in(each, all_waiting=waiting + 2) for each in (acme, rival)]
    await ana.put(Tally(name="a"))
    await ben.put(Tally(name="b"))
    for asker in (ana, ben):
        with pytest.raises(Unavailable):
            await asker.put(Tally(name="more"))
        assert await asker.states() == {"pending": 1}


async def test_a_full_queue_is_a_503_that_says_when_to_try_again(
    settings: Settings, acme: TenantId
) -> None:
    full = settings.model_copy(
        update={"jobs": settings.jobs.model_copy(update={"tenant_waiting": 1})}
    )
    app = create_app(full, [router], jobs=DECLARED)
    async with app.router.lifespan_context(app) as state:
        app.state.given = state
        client = Client(app, Person(app, acme, Role.EDITOR))
        assert (await client.post("/v1/deeds")).status_code == 200
        refused = await client.post("/v1/deeds")
    assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
    assert refused.headers["retry-after"] == "60"


@pytest.mark.case("R-06")
async def test_a_tenant_with_much_work_does_not_hold_up_anothers_one_job(
    ana_asks: Asker, ben_asks: Asker, implementation: Implementation
) -> None:
    await ana_asks.put_all([Tally(name=str(n), seconds=0.02) for n in range(300)])
    with working(implementation, JOBS_CONCURRENCY=str(AT_ONCE)):
        await ana_asks.over(await first_of(ana_asks))
        before = await ana_asks.states()
        await ben_asks.over(await ben_asks.put(Tally(name="one")))
        ((started,),) = await ben_asks.sql(STARTED)
        ((put,),) = await ben_asks.sql("SELECT created_at FROM jobs")
    assert before["pending"] > 100
    overtaking = "SELECT count(*) FROM jobs WHERE started_at BETWEEN :put AND :started"
    ((overtook,),) = await ana_asks.sql(overtaking, put=put, started=started)
    # One turn: those that were being served, and one more of each other tenant.
    assert overtook <= AT_ONCE + 2


async def first_of(asker: Asker) -> Any:
    ((first,),) = await asker.sql("SELECT id FROM jobs WHERE work->>'name' = '0'")
    return first
