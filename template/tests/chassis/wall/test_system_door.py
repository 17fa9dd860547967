"""Work across tenants leaves its row first, sees no tenant's data, and is closed to the service."""

from uuid import uuid4

import asyncpg
import pytest
from chassis.wall.probes import add, run
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from service.chassis.application.database import Database
from service.chassis.application.system import SystemDoor, SystemLog, create_tenant
from service.chassis.application.tables import Tenant
from service.chassis.identity import TenantId
from service.chassis.sections import DatabaseSettings

LOGGED = "SELECT reason FROM system_log WHERE actor = $1 ORDER BY id"


def actor() -> str:
    return f"operator-{uuid4()}"


async def test_a_use_is_on_record_before_its_work(
    probe_door: SystemDoor, administrator: asyncpg.Connection
) -> None:
    who = actor()
    async with probe_door.open(actor=who, reason="look") as session:
        assert await administrator.fetchval(LOGGED, who) == "look"
        assert await session.scalar(select(SystemLog.reason).where(SystemLog.actor == who))


async def test_work_that_fails_is_on_record_and_undone(
    probe_door: SystemDoor, administrator: asyncpg.Connection
) -> None:
    who = actor()

    async def failing() -> None:
        async with probe_door.open(actor=who, reason="fail") as session:
            session.add(Tenant(name=who))
            await session.flush()
            raise KeyError

    with pytest.raises(KeyError):
        await failing()
    assert await administrator.fetchval(LOGGED, who) == "fail"
    assert not await administrator.fetch("SELECT FROM tenants WHERE name = $1", who)


async def test_a_use_without_a_reason_does_not_happen(probe_door: SystemDoor) -> None:
    with pytest.raises(DBAPIError, match="system_log_reason_check"):
        async with probe_door.open(actor=actor(), reason=""):
            pytest.fail("the work began")


async def test_the_system_sees_all_tenants_and_nothing_of_theirs(
    probe_door: SystemDoor, probes: Database, ours: TenantId, theirs: TenantId
) -> None:
    await add(probes, ours, "mine")
    async with probe_door.open(actor=actor(), reason="look") as session:
        assert {ours, theirs} <= set(await session.scalars(select(Tenant.id)))
    for sql in ("SELECT * FROM parents", "SELECT wall.tenant()", "SELECT wall.bind('x')"):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with probe_door.open(actor=actor(), reason="look") as session:
                await session.execute(text(sql))


@pytest.mark.parametrize(
    "sql", ["UPDATE system_log SET reason = 'x'", "DELETE FROM system_log", "TRUNCATE system_log"]
)
async def test_the_record_cannot_be_changed_by_whom_it_is_about(
    probe_door: SystemDoor, sql: str
) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        async with probe_door.open(actor=actor(), reason="tidy") as session:
            await session.execute(text(sql))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM system_log",
        "INSERT INTO system_log (actor, reason) VALUES ('a', 'r')",
        "INSERT INTO tenants (name) VALUES ('another')",
        "SET ROLE service_system",
    ],
)
async def test_the_service_neither_reads_the_record_nor_uses_the_door(
    probes: Database, ours: TenantId, sql: str
) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        await run(probes, ours, sql)


async def test_a_door_needs_its_own_login(probe_settings: DatabaseSettings) -> None:
    with pytest.raises(RuntimeError, match="DATABASE_SYSTEM_URL"):
        SystemDoor(probe_settings.model_copy(update={"system_url": None}))
    wrong = SystemDoor(probe_settings.model_copy(update={"system_url": probe_settings.url}))
    with pytest.raises(DBAPIError, match="permission denied"):
        await create_tenant(wrong, actor=actor(), name="by the app")
    await wrong.close()
