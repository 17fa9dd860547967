"""What a pooled connection was left with is never the start of the next transaction."""

from collections.abc import AsyncGenerator

import asyncpg
import pytest
from chassis.wall.probes import run
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from dev.database import Server
from service.chassis.application.capability import CapabilityKey
from service.chassis.application.connection import WalledConnection
from service.chassis.application.database import Database
from service.chassis.identity import TenantId
from service.chassis.sections import DatabaseSettings

BACKEND, BOUND = "SELECT pg_backend_pid()", text("SELECT wall.tenant()")


@pytest.fixture
async def alone(probe_settings: DatabaseSettings, key: CapabilityKey) -> AsyncGenerator[Database]:
    """With one connection, so that the next user gets what the last one left."""
    database = Database(probe_settings.model_copy(update={"pool_size": 1}), key)
    yield database
    await database.engine.dispose()


async def driver_of(connection: AsyncConnection) -> WalledConnection:
    driver = (await connection.get_raw_connection()).driver_connection
    assert isinstance(driver, WalledConnection)
    return driver


@pytest.mark.parametrize("left", ["a transaction", "a failed transaction", "a closed connection"])
async def test_an_unclean_connection_is_replaced_before_it_is_used(
    alone: Database, ours: TenantId, left: str
) -> None:
    async with alone.engine.connect() as connection:
        driver = await driver_of(connection)
        pid = driver.get_server_pid()
        if left == "a closed connection":
            await driver.close()
        else:
            await driver.execute("BEGIN")
        if left == "a failed transaction":
            with pytest.raises(asyncpg.PostgresError):
                await driver.execute("SELECT 1/0")
    assert await run(alone, ours, BACKEND) != [pid]


async def test_a_clean_connection_is_kept(alone: Database, ours: TenantId) -> None:
    assert await run(alone, ours, BACKEND) == await run(alone, ours, BACKEND)


async def test_a_binding_that_was_prepared_and_not_used_binds_nobody(
    alone: Database, key: CapabilityKey, ours: TenantId
) -> None:
    async with alone.engine.connect() as connection:
        driver = await driver_of(connection)
        driver.capability = key.capability(ours, driver.get_server_pid())
    with pytest.raises(DBAPIError, match="no tenant is bound"):
        async with alone.engine.connect() as connection:
            await connection.execute(BOUND)


async def test_a_savepoint_prepares_no_binding(alone: Database, ours: TenantId) -> None:
    async with alone.transaction(ours) as session:
        driver = await driver_of(await session.connection())
        # BEGIN is sent, and the binding with it, only now.
        await session.execute(BOUND)
        async with session.begin_nested():
            assert await session.scalar(BOUND) == ours
            assert driver.capability is None


async def test_a_connection_on_which_a_binding_failed_is_closed_at_once(
    server: Server, probe_name: str
) -> None:
    url = server.url("service_app", probe_name)
    connection = await asyncpg.connect(url, connection_class=WalledConnection)
    await connection.execute("SELECT set_config('wall.capability', 'kept', false)")
    connection.capability = "new"
    with pytest.raises(asyncpg.PostgresError, match="still carries a tenant"):
        await connection.execute("BEGIN;")
    assert connection.is_closed()
