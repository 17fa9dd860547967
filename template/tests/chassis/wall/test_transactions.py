"""The binding lasts exactly as long as its transaction, however that one ends."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar, copy_context

import pytest
from chassis.wall.probes import SLUGS, add, run
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from service.chassis.application.capability import CapabilityKey
from service.chassis.application.database import Database, WalledSession
from service.chassis.errors import Conflict
from service.chassis.identity import TenantId
from service.chassis.sections import DatabaseSettings

BOUND = text("SELECT wall.tenant()")
DUPLICATE = text("INSERT INTO parents (slug) VALUES ('same'), ('same')")
Accident = Callable[[Database, TenantId], Awaitable[None]]


@pytest.fixture
def alone(probe_settings: DatabaseSettings) -> DatabaseSettings:
    """One connection, so that each transaction meets what the last one left."""
    return probe_settings.model_copy(update={"pool_size": 1})


async def raise_in_the_middle(database: Database, tenant: TenantId) -> None:
    async def half() -> None:
        async with database.transaction(tenant) as session:
            assert await session.scalar(BOUND) == tenant
            raise KeyError

    with pytest.raises(KeyError):
        await half()


async def fail_in_sql(database: Database, tenant: TenantId) -> None:
    with pytest.raises(IntegrityError):
        async with database.transaction(tenant) as session:
            await session.execute(DUPLICATE)


async def fail_as_it_begins(database: Database, tenant: TenantId) -> None:
    def fail(*_: object) -> None:
        raise KeyError

    event.listen(WalledSession, "after_begin", fail)
    try:
        with pytest.raises(KeyError):
            await run(database, tenant, SLUGS)
    finally:
        event.remove(WalledSession, "after_begin", fail)


async def roll_back(database: Database, tenant: TenantId) -> None:
    async with database.transaction(tenant) as session:
        await session.execute(BOUND)
        await session.rollback()


async def time_out(database: Database, tenant: TenantId) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(run(database, tenant, "SELECT pg_sleep(5)"), 0.05)


async def lose_the_connection(database: Database, tenant: TenantId) -> None:
    with pytest.raises(Exception, match=r"did not answer|terminating|closed"):
        await run(database, tenant, "SELECT pg_terminate_backend(pg_backend_pid())")


@pytest.mark.parametrize(
    "accident",
    [raise_in_the_middle, fail_in_sql, fail_as_it_begins, roll_back, time_out, lose_the_connection],
)
async def test_the_next_transaction_is_its_own_tenants(
    alone: DatabaseSettings,
    key: CapabilityKey,
    ours: TenantId,
    theirs: TenantId,
    accident: Accident,
) -> None:
    database = Database(alone, key)
    await add(database, ours, "ours")
    await accident(database, theirs)
    assert await run(database, ours, SLUGS) == ["ours"]
    assert await run(database, theirs, SLUGS) == []
    await database.engine.dispose()


async def after_a_savepoint(session: AsyncSession) -> None:
    savepoint = await session.begin_nested()
    await session.execute(text("INSERT INTO parents (slug) VALUES ('undone')"))
    await savepoint.rollback()


async def after_a_failed_savepoint(session: AsyncSession) -> None:
    with pytest.raises(IntegrityError):
        async with session.begin_nested():
            await session.execute(DUPLICATE)


async def after_nested_ones(session: AsyncSession) -> None:
    async with session.begin_nested(), session.begin_nested():
        await session.execute(text("INSERT INTO parents (slug) VALUES ('kept')"))


@pytest.mark.parametrize("inner", [after_a_savepoint, after_a_failed_savepoint, after_nested_ones])
async def test_a_savepoint_keeps_the_tenant(
    probes: Database, ours: TenantId, inner: Callable[[AsyncSession], Awaitable[None]]
) -> None:
    async with probes.transaction(ours) as session:
        assert await session.scalar(BOUND) == ours
        await inner(session)
        assert await session.scalar(BOUND) == ours
    assert "undone" not in await run(probes, ours, SLUGS)


async def test_a_serialization_failure_can_be_tried_again(probes: Database, ours: TenantId) -> None:
    await add(probes, ours, "first")
    change = text("UPDATE parents SET slug = slug || '!'")

    async def attempt(meanwhile: Awaitable[object] | None) -> None:
        async with probes.transaction(ours) as session:
            await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            assert await session.scalar(BOUND) == ours
            if meanwhile:
                await meanwhile
            await session.execute(change)

    with pytest.raises(Conflict):
        await attempt(run(probes, ours, "UPDATE parents SET slug = 'second'"))
    await attempt(None)
    assert await run(probes, ours, SLUGS) == ["second!"]


async def test_tenants_side_by_side_do_not_mix(
    probes: Database, ours: TenantId, theirs: TenantId
) -> None:
    async with probes.transaction(ours) as mine, probes.transaction(theirs) as other:
        for _ in range(3):
            assert await mine.scalar(BOUND) == ours
            assert await other.scalar(BOUND) == theirs


leftover: ContextVar[TenantId] = ContextVar("leftover")


async def test_a_task_of_the_background_inherits_nothing(probes: Database, ours: TenantId) -> None:
    """Its context is a copy of the request's, and the connection was the request's too."""

    async def unbound() -> object:
        assert leftover.get() == ours
        async with probes.engine.connect() as connection:
            return await connection.scalar(BOUND)

    leftover.set(ours)
    async with probes.transaction(ours) as session:
        assert await session.scalar(BOUND) == ours
        inside = asyncio.get_running_loop().create_task(unbound(), context=copy_context())
        with pytest.raises(DBAPIError, match="no tenant is bound"):
            await inside
    with pytest.raises(DBAPIError, match="no tenant is bound"):
        await asyncio.create_task(unbound())


@pytest.mark.parametrize(
    "sql", [SLUGS, "INSERT INTO parents (slug) VALUES ('')", "DELETE FROM parents"]
)
async def test_unbound_is_an_error_and_not_an_empty_list(
    probes: Database, ours: TenantId, sql: str
) -> None:
    await add(probes, ours, "mine")
    with pytest.raises(DBAPIError, match="no tenant is bound"):
        async with probes.engine.begin() as connection:
            await connection.execute(text(sql))
