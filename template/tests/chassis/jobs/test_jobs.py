"""What whoever implements the port promises: done once, if and only if it was committed."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from chassis.jobs.asking import Asker
from chassis.jobs.chores import Asking, Endless, Refused, Stubborn, Tally, tally

from callers import Suspend
from service.chassis.application.dead_jobs import DeadJobs
from service.chassis.application.jobs import Job, State
from service.chassis.errors import Forbidden, NotFound
from service.chassis.identity import TenantId

pytestmark = pytest.mark.usefixtures("a_worker")
ON_RECORD = "SELECT action, target, detail FROM audit_log WHERE action LIKE 'job.%' ORDER BY number"


async def test_work_that_was_committed_is_done_once_and_tells_its_result(ana_asks: Asker) -> None:
    seen = await ana_asks.over(await ana_asks.put(Tally(name="a")))
    assert (seen.state, seen.attempts, seen.reason) == (State.SUCCEEDED, 1, None)
    assert seen.result == {"name": "a"}
    assert await ana_asks.deeds() == {"a": 1}


class ChangedMyMind(Exception):
    pass


async def test_a_transaction_that_is_rolled_back_leaves_no_work(ana_asks: Asker) -> None:
    async def undone() -> None:
        async with ana_asks.tenancy.transaction() as session:
            await ana_asks.jobs.put(ana_asks.tenancy, session, Tally(name="undone"))
            raise ChangedMyMind

    with pytest.raises(ChangedMyMind):
        await undone()
    await ana_asks.over(await ana_asks.put(Tally(name="done")))
    assert await ana_asks.states() == {"succeeded": 1}
    assert await ana_asks.deeds() == {"done": 1}


async def test_two_tenants_interleaved_never_see_each_other(
    ana_asks: Asker, ben_asks: Asker
) -> None:
    askers, ids = (ana_asks, ben_asks), []
    for number in range(20):
        for asker in askers:
            tenant = asker.tenancy.caller.tenant_id
            ids.append((asker, await asker.put(Tally(name=f"{tenant} {number}"))))
    for asker, job_id in ids:
        assert (await asker.over(job_id)).state == State.SUCCEEDED
    for asker in askers:
        tenant = asker.tenancy.caller.tenant_id
        assert await asker.deeds() == {f"{tenant} {number}": 1 for number in range(20)}
    with pytest.raises(NotFound):
        await ben_asks.look(ids[0][1])
    async with ben_asks.tenancy.transaction() as session:
        assert not await ben_asks.jobs.cancel(session, ids[0][1])


async def test_work_with_one_key_is_put_once(ana_asks: Asker, ben_asks: Asker) -> None:
    first = await ana_asks.put(Tally(name="a"), key="k")
    assert await ana_asks.put(Tally(name="b"), key="k") == first
    # Another tenant's key is another key.
    await ben_asks.over(await ben_asks.put(Tally(name="c"), key="k"))
    await ana_asks.over(first)
    assert await ana_asks.deeds() == {"a": 1}


async def test_work_waits_until_it_is_due(ana_asks: Asker) -> None:
    late = await ana_asks.put(Tally(name="late"), after=timedelta(seconds=1.5))
    await ana_asks.over(await ana_asks.put(Tally(name="now")))
    assert (await ana_asks.look(late)).state == State.PENDING
    assert (await ana_asks.over(late)).state == State.SUCCEEDED


async def test_what_fails_is_tried_again_and_then_kept_until_somebody_replays_it(
    ana_asks: Asker, database: Any
) -> None:
    job_id = await ana_asks.put(Stubborn(name="a"))
    seen = await ana_asks.over(job_id)
    # Its tenant reads the reason: what the error says stays inside.
    assert (seen.state, seen.attempts, seen.reason) == (State.DEAD, 3, "RuntimeError")
    assert await ana_asks.deeds() == {}
    dead, tenant = DeadJobs(database, ana_asks.jobs), ana_asks.tenancy.caller.tenant_id
    assert [row.id for row in await dead.listed(tenant)] == [job_id]
    await ana_asks.sql(
        "UPDATE jobs SET kind = 'tests.tally', version = 2 WHERE id = CAST(:id AS uuid)",
        id=job_id,
    )
    assert await dead.replayed(tenant, job_id)
    assert (await ana_asks.over(job_id)).state == State.SUCCEEDED
    assert await ana_asks.deeds() == {"a": 1}
    assert not await dead.replayed(tenant, job_id)
    actions = [(action, target) for action, target, _ in await ana_asks.sql(ON_RECORD)]
    assert actions == [("job.died", str(job_id)), ("job.replayed", str(job_id))]


async def test_another_tenants_dead_letter_is_not_replayed(
    ana_asks: Asker, rival: TenantId, database: Any
) -> None:
    job_id = await ana_asks.put(Stubborn(name="a"))
    await ana_asks.over(job_id)
    dead = DeadJobs(database, ana_asks.jobs)
    assert not await dead.replayed(rival, job_id)
    assert await dead.listed(rival) == []


async def test_what_a_rule_refuses_is_not_tried_again(ana_asks: Asker) -> None:
    seen = await ana_asks.over(await ana_asks.put(Refused(name="a")))
    assert (seen.state, seen.attempts) == (State.FAILED, 1)
    assert seen.reason == "not-found: There is no such deed."
    assert await ana_asks.deeds() == {}


async def test_work_that_takes_too_long_is_ended_and_leaves_nothing(ana_asks: Asker) -> None:
    seen = await ana_asks.over(await ana_asks.put(Endless(name="a")))
    assert (seen.state, seen.attempts, seen.reason) == (State.DEAD, 2, "TimeoutError")
    assert await ana_asks.deeds() == {}


async def test_work_that_is_cancelled_before_its_end_leaves_nothing(ana_asks: Asker) -> None:
    waiting = await ana_asks.put(Tally(name="waiting"), after=timedelta(hours=1))
    running = await ana_asks.put(Tally(name="running", holds=1))
    while (await ana_asks.look(running)).state != State.RUNNING:
        pass
    for job_id in (waiting, running):
        async with ana_asks.tenancy.transaction() as session:
            assert await ana_asks.jobs.cancel(session, job_id)
    # Longer than the running one takes, and behind it.
    await ana_asks.over(await ana_asks.put(Tally(name="after", seconds=1.5)))
    assert await ana_asks.states() == {"cancelled": 2, "succeeded": 1}
    assert await ana_asks.deeds() == {"after": 1}
    async with ana_asks.tenancy.transaction() as session:
        assert not await ana_asks.jobs.cancel(session, waiting)


@pytest.mark.case("Z-06")
@pytest.mark.parametrize("what", ["role = 'viewer'", "state = 'disabled'"])
async def test_who_lost_the_right_meanwhile_is_refused_on_record(
    ana_asks: Asker, what: str
) -> None:
    job_id = await ana_asks.put(Tally(name="a"), after=timedelta(seconds=1))
    me = {"id": ana_asks.tenancy.caller.subject}
    await ana_asks.sql(f"UPDATE members SET {what} WHERE id = CAST(:id AS uuid)", **me)
    seen = await ana_asks.over(job_id)
    assert seen.state == State.FAILED
    assert seen.reason is not None
    assert seen.reason.startswith("forbidden")
    assert await ana_asks.deeds() == {}
    denied = "SELECT actor, target FROM audit_log WHERE action = 'authorization.denied'"
    assert await ana_asks.sql(denied) == [(me["id"], "tests.tally")]


async def test_the_work_of_a_suspended_tenant_waits(
    ana_asks: Asker, ben_asks: Asker, suspend: Suspend
) -> None:
    tenant = ana_asks.tenancy.caller.tenant_id
    job_id = await ana_asks.put(Tally(name="a"), after=timedelta(seconds=0.5))
    await suspend(tenant)
    await ben_asks.over(await ben_asks.put(Tally(name="b"), after=timedelta(seconds=1)))
    await suspend(tenant, back=True)
    seen = await ana_asks.look(job_id)
    assert (seen.state, seen.attempts) == (State.PENDING, 0)


async def test_a_model_is_asked_before_anything_is_written(ana_asks: Asker) -> None:
    first = await ana_asks.over(await ana_asks.put(Asking(name="a", writes_first=False)))
    assert first.state == State.SUCCEEDED
    seen = await ana_asks.over(await ana_asks.put(Asking(name="b", writes_first=True)))
    assert (seen.state, seen.reason) == (State.DEAD, "AskedAfterWriting")
    assert await ana_asks.deeds() == {"a": 1}


async def test_work_that_kills_its_worker_comes_to_an_end(ana_asks: Asker) -> None:
    job_id = await ana_asks.put(Stubborn(name="a"), after=timedelta(seconds=0.5))
    await ana_asks.sql("UPDATE jobs SET state = 'running', attempts = 3")
    seen = await ana_asks.over(job_id)
    assert (seen.state, seen.reason) == (State.DEAD, "its worker died each time")


@pytest.mark.case("Z-06")
async def test_work_that_comes_by_itself_may_do_what_is_declared_and_no_more(
    ana_asks: Asker,
) -> None:
    """Here nothing is: it is no periodic work of this service."""
    job_id = await ana_asks.put(Tally(name="a"), after=timedelta(seconds=0.5))
    await ana_asks.sql("UPDATE jobs SET caused_by = 'periodic:tests.tally'")
    seen = await ana_asks.over(job_id)
    assert (seen.state, str(seen.reason)[:9]) == (State.FAILED, "forbidden")
    assert await ana_asks.deeds() == {}


@pytest.mark.case("Z-06")
async def test_only_for_a_member_is_something_done_later(ana_asks: Asker) -> None:
    me = ana_asks.tenancy
    webhook = replace(me, caller=replace(me.caller, subject="webhook:bank"))
    with pytest.raises(Forbidden, match="Only for a member"):
        await replace(ana_asks, tenancy=webhook).put(Tally(name="a"))
    assert await ana_asks.states() == {}


def test_what_failed_together_does_not_return_together() -> None:
    job = Job(Tally, tally, first_wait_seconds=2, longest_wait_seconds=60)
    for attempt, longest in ((1, 2), (2, 4), (5, 32), (6, 60), (40, 60)):
        waits = [job.wait_after(attempt).total_seconds() for _ in range(200)]
        assert 0 <= min(waits) < longest * 0.2
        assert longest * 0.8 < max(waits) <= longest
