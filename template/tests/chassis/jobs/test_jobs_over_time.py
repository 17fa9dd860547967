"""Work that comes by itself, and workers that are told to stop."""

import asyncio
import time
from collections.abc import AsyncGenerator

import pytest
from chassis.jobs.asking import Asker
from chassis.jobs.chores import WITH_HABITS, Tally
from chassis.jobs.implementations import Implementation, working
from sqlalchemy import text

from service.chassis.app import Service
from service.chassis.application.jobs import State
from service.chassis.application.periodic_jobs import PeriodicJobs
from service.chassis.application.put_jobs import PutJobs
from service.chassis.application.system import SystemDoor
from service.chassis.identity import TenantId
from service.chassis.settings import Settings

OTHERS_AWAY = """UPDATE tenants SET suspended_at = now()
    WHERE suspended_at IS NULL AND id NOT IN (:acme, :rival) RETURNING id"""
BACK = "UPDATE tenants SET suspended_at = NULL WHERE id = ANY(:away)"
HABITS = "SELECT key, caused_by FROM jobs WHERE kind = 'tests.habit' AND state = 'succeeded'"


@pytest.fixture
async def alone(door: SystemDoor, acme: TenantId, rival: TenantId) -> AsyncGenerator[None]:
    """The tenants of all other tests are away meanwhile."""
    others = {"acme": acme, "rival": rival}
    async with door.open(actor="tests", reason="only two tenants") as session:
        away = (await session.scalars(text(OTHERS_AWAY), others)).all()
    yield
    async with door.open(actor="tests", reason="all tenants") as session:
        await session.execute(text(BACK), {"away": away})


@pytest.mark.full
@pytest.mark.usefixtures("alone")
async def test_periodic_work_is_done_once_each_time_in_every_tenant(
    ana_asks: Asker, ben_asks: Asker, implementation: Implementation
) -> None:
    """Two workers, and a clock that both of them look at."""
    with working(implementation, "habits"), working(implementation, "habits"):
        async with asyncio.timeout(30):
            while len(await ana_asks.sql(HABITS)) < 3:  # noqa: ASYNC110  other processes
                await asyncio.sleep(0.1)
    for asker in (ana_asks, ben_asks):
        done = await asker.sql(HABITS)
        assert len(done) >= 2
        assert len(set(done)) == len(done)
        assert {caused_by for _, caused_by in done} == {"periodic:tests.habit"}
        assert await asker.deeds() == {"habit": len(done)}


async def test_a_worker_that_is_told_to_stop_finishes_what_it_began(
    ana_asks: Asker, implementation: Implementation
) -> None:
    with working(implementation) as hand:
        job_id = await ana_asks.put(Tally(name="a", seconds=1))
        await begun(ana_asks)
        await ana_asks.put_all([Tally(name=str(n), seconds=1) for n in range(20)])
        assert await asyncio.to_thread(hand.stop) == 0
    assert (await ana_asks.look(job_id)).state == State.SUCCEEDED
    states = await ana_asks.states()
    assert states["succeeded"] + states["pending"] == 21
    assert states["pending"] > 0
    assert sum((await ana_asks.deeds()).values()) == states["succeeded"]


async def test_what_it_cannot_finish_in_time_it_gives_back_and_another_does_it(
    ana_asks: Asker, implementation: Implementation
) -> None:
    with working(implementation, JOBS_DRAIN_SECONDS="0.2") as hand:
        job_id = await ana_asks.put(Tally(name="a", holds=4))
        await begun(ana_asks)
        assert await asyncio.to_thread(hand.stop) == 0
    given_back = await ana_asks.look(job_id)
    assert (given_back.state, given_back.attempts) == (State.PENDING, 0)
    assert await ana_asks.deeds() == {}
    with working(implementation):
        seen = await ana_asks.over(job_id)
    assert (seen.state, seen.attempts) == (State.SUCCEEDED, 1)
    assert await ana_asks.deeds() == {"a": 1}


async def begun(asker: Asker) -> None:
    async with asyncio.timeout(30):
        while "running" not in await asker.states():  # noqa: ASYNC110  another process
            await asyncio.sleep(0.02)


async def test_what_a_dead_worker_had_begun_is_done_by_another_once_its_lease_is_over(
    ana_asks: Asker, implementation: Implementation
) -> None:
    with working(implementation) as hand:
        job_id = await ana_asks.put(Tally(name="a", holds=2))
        await begun(ana_asks)
        hand.process.kill()
        hand.process.wait()
    died = time.monotonic()
    with working(implementation):
        seen = await ana_asks.over(job_id)
    # The lease of two seconds, a sweep, the work itself, and the start of a process.
    assert 2 + 2 - 0.5 <= time.monotonic() - died < 25
    assert (seen.state, seen.attempts) == (State.SUCCEEDED, 2)
    assert await ana_asks.deeds() == {"a": 1}


@pytest.mark.usefixtures("alone")
async def test_a_time_that_comes_twice_puts_its_work_once(
    ana_asks: Asker, ben_asks: Asker, app: Service, settings: Settings
) -> None:
    given = app.state.given
    jobs = PutJobs(WITH_HABITS, settings.jobs)
    habits = PeriodicJobs(given["database"], given["intelligence"], jobs, settings.database)
    for timestamp in (10, 10, 20):
        await habits.put_in_all_tenants("tests.habit", timestamp)
    for asker in (ana_asks, ben_asks):
        assert await asker.states() == {"pending": 2}
