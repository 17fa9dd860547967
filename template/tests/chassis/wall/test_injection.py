"""SQL injected into the service's own connection gets nothing of another tenant."""

from collections.abc import AsyncGenerator

import asyncpg
import pytest
from chassis.wall.probes import SLUGS, add, run
from sqlalchemy.exc import DBAPIError

from dev.database import Server
from service.chassis.application.capability import CapabilityKey
from service.chassis.application.database import Database
from service.chassis.errors import Unavailable
from service.chassis.identity import TenantId
from service.chassis.sections import DatabaseSettings

SECRET, OWN = "secret-of-theirs", "our-own"
FORGED = "k1|{theirs}|9999999999|{pid}|" + "0" * 64
INJECTED = {
    "a plain claim": "SELECT set_config('wall.capability', '{theirs}', true)",
    "a forged capability": f"SELECT set_config('wall.capability', '{FORGED}', true)",
    "a capability of another connection": "SELECT set_config('wall.capability', '{stolen}', true)",
    "one read from the activity": "SELECT set_config('wall.capability', "
    "substring(query FROM 'wall.bind..([^'']+)'), true) FROM pg_stat_activity "
    "WHERE query LIKE '%{theirs}%' AND pid <> pg_backend_pid()",
    "a second binding": "SELECT wall.bind('{stolen}')",
    "the keys": "SELECT * FROM wall.keys",
    "the owner's hat": "SET ROLE service_owner",
    "the system's door": "SET ROLE service_system",
    "the role of the login": "RESET ROLE",
    "another login": "SET SESSION AUTHORIZATION postgres",
    "row security off": "SET row_security = off",
    "triggers off": "SET session_replication_role = replica",
    "a policy dropped": "DROP POLICY floor ON parents",
    "the wall taken down": "ALTER TABLE parents DISABLE ROW LEVEL SECURITY",
    "a function in front": "CREATE FUNCTION pg_temp.tenant() RETURNS uuid RETURN '{theirs}'",
    "a table in front": "CREATE TEMPORARY TABLE parents AS SELECT 1",
    "a schema in front": "CREATE SCHEMA service_app",
    "another search path": "SET search_path = pg_temp, wall, public, pg_catalog",
    "samples of the optimizer": "SELECT most_common_vals::text, histogram_bounds::text "
    "FROM pg_stats WHERE tablename = 'parents'",
    "raw samples": "SELECT stavalues1::text FROM pg_statistic",
    "a file": "SELECT pg_read_file('PG_VERSION')",
    "a program": "COPY parents TO PROGRAM 'cat'",
    "a row moved to us": "UPDATE parents SET tenant_id = wall.tenant() "
    "WHERE tenant_id = '{theirs}' RETURNING *",
    "a row moved to them": "UPDATE parents SET tenant_id = '{theirs}'",
    "a row written for them": "INSERT INTO parents VALUES ('{theirs}', DEFAULT, 'planted')",
    "everything deleted": "DELETE FROM parents WHERE tenant_id <> wall.tenant() RETURNING *",
    "everything truncated": "TRUNCATE parents CASCADE",
    "everything": "SELECT * FROM parents, children",
    "all tenants": "SELECT * FROM tenants WHERE id <> wall.tenant()",
    "a large object": "SELECT lo_from_bytea(0, 'x'), lo_import('/etc/hostname')",
    "everything locked": "LOCK TABLE parents IN ACCESS EXCLUSIVE MODE",
}


@pytest.fixture
async def busy(server: Server, probe_name: str) -> AsyncGenerator[asyncpg.Connection]:
    """Another connection of the service, in the middle of a transaction of theirs."""
    connection = await asyncpg.connect(server.url("service_app", probe_name))
    yield connection
    await connection.close()


async def seen_with(session: asyncpg.Connection, statement: str) -> str:
    """All that the statement returns, and what can be read after it; errors are seen too."""
    seen = ""
    for sql in (statement, SLUGS, "SELECT * FROM children"):
        savepoint = session.transaction()
        await savepoint.start()
        try:
            seen += repr(await session.fetch(sql))
            await savepoint.commit()
        except asyncpg.PostgresError as error:
            await savepoint.rollback()
            seen += repr(error)
    return seen


@pytest.mark.parametrize("statement", INJECTED.values(), ids=INJECTED)
async def test_nothing_of_theirs_is_seen_and_nothing_is_harmed(  # noqa: PLR0917 - fixtures
    probes: Database,
    session: asyncpg.Connection,
    busy: asyncpg.Connection,
    administrator: asyncpg.Connection,
    key: CapabilityKey,
    ours: TenantId,
    theirs: TenantId,
    statement: str,
) -> None:
    await add(probes, theirs, SECRET)
    await add(probes, ours, OWN)
    await administrator.execute("ANALYZE parents")
    stolen = key.capability(theirs, busy.get_server_pid())
    await busy.execute(f"BEGIN; SELECT wall.bind('{stolen}')")
    pid = session.get_server_pid()
    own = session.transaction()
    await own.start()
    await session.execute("SELECT wall.bind($1)", key.capability(ours, pid))
    assert OWN in await seen_with(session, SLUGS)
    seen = await seen_with(session, statement.format(theirs=theirs, stolen=stolen, pid=pid))
    await own.rollback()
    assert SECRET not in seen
    assert await run(probes, theirs, SLUGS) == [SECRET]
    assert await run(probes, ours, SLUGS) == [OWN]


async def test_what_is_stolen_works_where_it_belongs(
    probes: Database, busy: asyncpg.Connection, key: CapabilityKey, theirs: TenantId
) -> None:
    """Without this, the theft above could fail for any reason."""
    await add(probes, theirs, SECRET)
    async with busy.transaction():
        capability = key.capability(theirs, busy.get_server_pid())
        await busy.execute("SELECT set_config('wall.capability', $1, true)", capability)
        assert SECRET in repr(await busy.fetch(SLUGS))


NAMED = "WHERE statement LIKE 'SELECT slug%'"
LOOT = "SELECT set_config('app.loot', string_agg(slug, ','), false)"
LEFT_BEHIND = {
    "a capability": "SELECT set_config('wall.capability', "
    "current_setting('wall.capability'), false)",
    "a capability that is none": "SELECT set_config('wall.capability', 'x', false)",
}


@pytest.mark.parametrize("statement", LEFT_BEHIND.values(), ids=LEFT_BEHIND)
async def test_a_connection_that_carries_a_tenant_serves_nobody(
    probe_settings: DatabaseSettings,
    key: CapabilityKey,
    ours: TenantId,
    theirs: TenantId,
    statement: str,
) -> None:
    alone = Database(probe_settings.model_copy(update={"pool_size": 1}), key)
    backend = "SELECT pg_backend_pid()"
    (poisoned,) = await run(alone, ours, backend)
    await run(alone, ours, statement)
    with pytest.raises((DBAPIError, Unavailable), match=r"still carries a tenant|did not answer"):
        await run(alone, theirs, SLUGS)
    (fresh,) = await run(alone, theirs, backend)
    assert fresh != poisoned
    assert await run(alone, theirs, SLUGS) == []
    await alone.engine.dispose()


async def test_a_statement_prepared_by_one_tenant_is_not_run_by_the_next(
    probe_settings: DatabaseSettings, key: CapabilityKey, ours: TenantId, theirs: TenantId
) -> None:
    """The driver names its statements predictably: ours could take the place of theirs."""
    alone = Database(probe_settings.model_copy(update={"pool_size": 1}), key)
    await add(alone, theirs, SECRET)
    await run(alone, ours, SLUGS)
    (name,) = await run(alone, ours, f"SELECT name FROM pg_prepared_statements {NAMED}")
    async with alone.transaction(ours) as session:
        driver = (await (await session.connection()).get_raw_connection()).driver_connection
        assert driver
        await driver.execute(f'DEALLOCATE "{name}"; PREPARE "{name}" AS {LOOT} FROM parents')
    with pytest.raises((DBAPIError, Unavailable), match=r"still carries a tenant|did not answer"):
        await run(alone, theirs, SLUGS)
    assert await run(alone, theirs, SLUGS) == [SECRET]
    assert await run(alone, ours, "SELECT current_setting('app.loot', true)") == [None]
    await alone.engine.dispose()
