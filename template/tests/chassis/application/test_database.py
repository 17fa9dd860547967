"""When the database is away, slow or busy, the caller hears so in time and in our words."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from uuid import uuid4

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from callers import Client, ClientFor
from dev.database import Server
from service.chassis.app import Service
from service.chassis.application.capability import CapabilityKey
from service.chassis.application.database import Database, driver_url
from service.chassis.errors import Conflict, Unauthenticated, Unavailable
from service.chassis.identity import TenantId
from service.chassis.settings import Settings

QUICK = {"pool_size": 1, "pool_timeout_seconds": 0.2, "statement_timeout_seconds": 0.3}


@pytest.fixture
async def small(settings: Settings) -> AsyncGenerator[Database]:
    """One connection, and little patience."""
    database = Database(
        settings.database.model_copy(update=QUICK), CapabilityKey.of(settings.tenancy)
    )
    yield database
    await database.engine.dispose()


async def test_a_database_that_is_away_is_unavailable(settings: Settings, acme: TenantId) -> None:
    nowhere = SecretStr("postgresql://service_app:x@127.0.0.1:1/none")
    away = Database(
        settings.database.model_copy(update={"url": nowhere}), CapabilityKey.of(settings.tenancy)
    )
    with pytest.raises(Unavailable, match="cannot be reached"):
        async with away.transaction(acme) as session:
            await session.execute(text("SELECT 1"))


async def test_a_full_pool_is_unavailable_and_empties_again(
    small: Database, acme: TenantId
) -> None:
    async with small.transaction(acme) as session:
        await session.execute(text("SELECT 1"))
        with pytest.raises(Unavailable, match="busy"):
            async with small.transaction(acme) as second:
                await second.execute(text("SELECT 1"))
    async with small.transaction(acme) as session:
        assert (await session.execute(text("SELECT 1"))).scalar_one() == 1


async def test_a_slow_statement_is_ended(small: Database, acme: TenantId) -> None:
    with pytest.raises(Unavailable, match="in time"):
        async with small.transaction(acme) as session:
            await session.execute(text("SELECT pg_sleep(5)"))
    async with small.transaction(acme) as session:
        assert (await session.execute(text("SELECT wall.tenant()"))).scalar_one() == acme


async def test_a_connection_that_the_server_closed_is_replaced(
    small: Database, database: Database, acme: TenantId
) -> None:
    async with small.transaction(acme) as session:
        pid = (await session.execute(text("SELECT pg_backend_pid()"))).scalar_one()
    async with database.transaction(acme) as session:
        await session.execute(text(f"SELECT pg_terminate_backend({pid})"))
    await asyncio.sleep(0.2)
    async with small.transaction(acme) as session:
        assert (await session.execute(text("SELECT pg_backend_pid()"))).scalar_one() != pid


async def test_two_changes_at_the_same_time_are_a_conflict(
    database: Database, acme: TenantId
) -> None:
    locks = "SELECT pg_advisory_xact_lock(:key)"

    async def lock(first: int, second: int) -> None:
        async with database.transaction(acme) as session:
            await session.execute(text(locks), {"key": first})
            await asyncio.sleep(0.1)
            await session.execute(text(locks), {"key": second})

    ends = await asyncio.gather(lock(1, 2), lock(2, 1), return_exceptions=True)
    assert [type(end) for end in ends if end is not None] == [Conflict]


async def test_readiness_follows_the_database_and_forgives_valkey(
    app: Service, ana: Client
) -> None:
    health = app.state.health
    essential, helpful = dict(health.essential), dict(health.helpful)

    async def down() -> None:
        raise ConnectionError

    try:
        health.helpful = {"valkey": down}
        degraded = await ana.get("/readyz")
        assert degraded.status_code == 200
        assert degraded.json()["checks"] == {"database": "ok", "valkey": "down"}
        health.essential = {"database": down}
        away = await ana.get("/readyz")
        assert (away.status_code, away.json()["code"]) == (503, "unavailable")
        assert (await ana.get("/livez")).status_code == 200
    finally:
        health.essential, health.helpful = essential, helpful


@pytest.mark.parametrize(
    "statement",
    [
        "SET LOCAL statement_timeout = 0; SELECT pg_sleep(9)",
        "SET LOCAL lock_timeout = '10ms'; SELECT pg_advisory_xact_lock(77)",
    ],
)
async def test_the_drivers_patience_and_a_locks_end_typed_too(
    small: Database, database: Database, acme: TenantId, statement: str
) -> None:
    first, second = statement.split("; ")
    async with database.transaction(acme) as holder:
        await holder.execute(text("SELECT pg_advisory_xact_lock(77)"))
        with pytest.raises(Unavailable):
            await run(small, acme, first, second)


async def run(database: Database, tenant: TenantId, *statements: str) -> None:
    async with database.transaction(tenant) as session:
        for statement in statements:
            await session.execute(text(statement))


async def test_a_server_that_takes_no_more_connections_is_unavailable(
    settings: Settings, server: Server, acme: TenantId, worker: str
) -> None:
    name = f"full_{worker}"
    await server.clone("service_template", name)
    administrator = await asyncpg.connect(server.admin_url)
    await administrator.execute(f'ALTER DATABASE "{name}" CONNECTION LIMIT 0')
    url = SecretStr(server.url("service_app", name))
    full = Database(
        settings.database.model_copy(update={"url": url}), CapabilityKey.of(settings.tenancy)
    )
    try:
        with pytest.raises(Unavailable):
            async with full.transaction(acme) as session:
                await session.execute(text("SELECT 1"))
    finally:
        await full.engine.dispose()
        await administrator.close()
        await server.drop(name)


async def test_a_token_of_a_tenant_that_is_gone_is_refused(
    app: Service, client_for: ClientFor, ana: Client
) -> None:
    ghost = replace(await ana.me.sign_in(), tenant_id=TenantId(uuid4()))
    token = app.state.given["access_tokens"].sign(ghost)
    headers = {"authorization": f"Bearer {token}"}
    assert (await client_for(None).get("/v1/notes", headers=headers)).status_code in {401, 404}


@pytest.mark.example
async def test_work_for_a_tenant_that_is_gone_is_refused(database: Database) -> None:
    with pytest.raises(Unauthenticated, match="not known here"):
        async with database.transaction(TenantId(uuid4())) as session:
            await session.execute(text("INSERT INTO notes (title, body) VALUES ('a', 'b')"))


def test_a_url_as_everybody_spells_it_is_understood() -> None:
    assert driver_url("postgresql://a:b@h/d?sslmode=require").query == {"ssl": "require"}
