"""The queue is of all tenants: nobody who serves requests reads it, and a ticket gives nothing."""

from typing import Any

import asyncpg
import pytest
from chassis.jobs.asking import Asker
from chassis.jobs.chores import Tally
from chassis.jobs.implementations import Implementation, working

from dev.database import Server
from service.chassis.application.database import Database
from service.chassis.application.jobs import State
from service.chassis.identity import TenantId

TICKET = """INSERT INTO queue.procrastinate_jobs (queue_name, task_name, args)
    VALUES ('jobs', 'run', jsonb_build_object('tenant_id', $1::text, 'job_id', $2::text))"""
TABLES = ("jobs", "events", "workers", "periodic_defers")


@pytest.mark.parametrize("role", ["service_app", "service_readonly", "service_system"])
@pytest.mark.parametrize("table", TABLES)
async def test_no_other_role_reads_or_writes_the_queue(
    server: Server, database_name: str, role: str, table: str, queue: asyncpg.Connection
) -> None:
    name = f"queue.procrastinate_{table}"
    # The worker does, so that the refusals below are about the role.
    assert await queue.fetchval(f"SELECT count(*) FROM {name}") is not None
    connection = await asyncpg.connect(server.url(role, database_name))
    try:
        for sql in (
            f"SELECT FROM {name}",
            f"DELETE FROM {name}",
            f"INSERT INTO {name} DEFAULT VALUES",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(sql)
    finally:
        await connection.close()


async def test_a_ticket_holds_nothing_of_what_is_to_be_done(
    ana_asks: Asker, queue: asyncpg.Connection
) -> None:
    job_id = await ana_asks.put(Tally(name="canary"))
    find = "SELECT to_jsonb(t)::text FROM queue.procrastinate_jobs t WHERE args->>'job_id' = $1"
    ticket = await queue.fetchval(find, str(job_id))
    assert str(ana_asks.tenancy.caller.tenant_id) in ticket
    for inside in ("canary", "tally", ana_asks.tenancy.caller.subject):
        assert inside not in ticket


async def test_a_ticket_is_for_the_tenant_that_is_bound_and_no_other(
    ana_asks: Asker, server: Server, database_name: str, queue: asyncpg.Connection
) -> None:
    job_id = await ana_asks.put(Tally(name="a"))
    find = "SELECT args->>'tenant_id' FROM queue.procrastinate_jobs WHERE args->>'job_id' = $1"
    assert await queue.fetchval(find, str(job_id)) == str(ana_asks.tenancy.caller.tenant_id)
    unbound = await asyncpg.connect(server.url("service_app", database_name))
    try:
        with pytest.raises(asyncpg.PostgresError, match="no tenant is bound"):
            await unbound.execute("SELECT wall.put_ticket(gen_random_uuid(), 0, now(), 1000)")
    finally:
        await unbound.close()


async def test_a_forged_ticket_does_nothing(
    ana_asks: Asker,
    ben_asks: Asker,
    implementation: Implementation,
    queue: asyncpg.Connection,
) -> None:
    """Another tenant's job, a job that never was, a job that is not due."""
    hour = "UPDATE jobs SET due_at = now() + interval '1 hour' RETURNING id"
    ana, ben = (str(each.tenancy.caller.tenant_id) for each in (ana_asks, ben_asks))
    await ana_asks.put(Tally(name="a"))
    ((later,),) = await ana_asks.sql(hour)
    for tenant, job_id in ((ben, later), (ana, later), (ana, ben)):
        await queue.execute(TICKET, tenant, str(job_id))
    with working(implementation):
        await ben_asks.over(await ben_asks.put(Tally(name="b")))
        await worked_off(queue)
    assert (await ana_asks.look(later)).state == State.PENDING
    assert await ana_asks.deeds() == {}
    assert await ben_asks.deeds() == {"b": 1}


async def worked_off(queue: Any) -> None:
    left = "SELECT count(*) FROM queue.procrastinate_jobs WHERE scheduled_at IS NULL"
    while await queue.fetchval(left):
        pass


async def test_tenants_see_only_their_own_jobs(
    ana_asks: Asker, ben_asks: Asker, database: Database, rival: TenantId
) -> None:
    await ana_asks.put(Tally(name="a"))
    job_id = await ben_asks.put(Tally(name="b"))
    assert await ben_asks.sql("SELECT id FROM jobs") == [(job_id,)]
    assert await ana_asks.sql("DELETE FROM jobs WHERE id = CAST(:id AS uuid)", id=job_id) == []
    assert await ben_asks.sql("SELECT id FROM jobs") == [(job_id,)]
