"""The service starts only as a role that cannot go around the wall, and with no hole in it."""

import os
from collections.abc import AsyncGenerator, Callable
from urllib.parse import urlsplit

import asyncpg
import pytest

from dev.database import Server
from service.chassis.app import create_app
from service.chassis.application.capability import CapabilityKey
from service.chassis.application.database import Database
from service.chassis.application.posture import (
    SAFE_FLOOR,
    PostureRefused,
    privileged_login,
    refuse_unsafe_database,
    wall_findings,
)
from service.chassis.sections import DatabaseSettings
from service.chassis.settings import Settings

Url = Callable[[Server, str], str]


def login(role: str) -> Url:
    return lambda server, database: server.url(role, database)


@pytest.fixture(scope="session")
async def bypasser(server: Server, probe_name: str) -> AsyncGenerator[str]:
    """A login with BYPASSRLS, as an operator makes one for backups."""
    role = f"backup_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    connection = await asyncpg.connect(server.admin(probe_name))
    password = server.passwords["service_app"]
    await connection.execute(f"CREATE ROLE {role} LOGIN BYPASSRLS PASSWORD '{password}'")
    await connection.execute(f"GRANT CONNECT ON DATABASE {probe_name} TO {role}")
    yield role
    await connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
    await connection.close()


async def start(settings: Settings, url: str) -> bool:
    """Whether it says that it has started."""
    database = settings.database.model_copy(
        update={"url": DatabaseSettings.model_validate({"url": url}).url}
    )
    app = create_app(settings.model_copy(update={"database": database}), [])
    async with app.router.lifespan_context(app):
        return bool(app.state.health.started)


async def test_the_service_starts_as_the_app(
    settings: Settings, server: Server, probe_name: str
) -> None:
    assert await start(settings, server.url("service_app", probe_name))


@pytest.mark.parametrize("role", ["service_migrator", "service_readonly", "service_system"])
async def test_the_service_does_not_start_as_a_role_for_other_work(
    settings: Settings, server: Server, probe_name: str, role: str
) -> None:
    with pytest.raises(PostureRefused, match=rf"{role}: .*service_app into DATABASE_URL"):
        await start(settings, server.url(role, probe_name))


async def test_the_service_does_not_start_as_the_superuser(
    settings: Settings, server: Server, probe_name: str
) -> None:
    superuser = urlsplit(server.admin_url).username
    with pytest.raises(PostureRefused, match=rf"{superuser}: .*service_app"):
        await start(settings, server.admin(probe_name))


async def test_the_service_does_not_start_with_bypassrls(
    settings: Settings, server: Server, probe_name: str, bypasser: str
) -> None:
    url = server.url("service_app", probe_name).replace("//service_app:", f"//{bypasser}:")
    with pytest.raises(PostureRefused, match=rf"{bypasser}: .*service_app"):
        await start(settings, url)


@pytest.mark.parametrize("role", ["service_owner", "service_keeper"])
async def test_a_hat_is_no_login_either(
    server: Server, probe_name: str, key: CapabilityKey, role: str
) -> None:
    """Nobody can log in as one; this is how it would look from inside if somebody could."""
    settings = DatabaseSettings.model_validate({"url": server.admin(probe_name)})
    database = Database(settings, key)
    async with database.engine.connect() as connection:
        await connection.exec_driver_sql(f"SET SESSION AUTHORIZATION {role}")
        assert [line.partition(":")[0] for line in await privileged_login(connection)] == [role]
        await connection.exec_driver_sql("RESET SESSION AUTHORIZATION")
    await database.engine.dispose()


NEW_TABLES = {
    "CREATE TABLE invoices (id uuid PRIMARY KEY)": (
        "invoices: has no forced row-level security",
        "invoices: has no tenant_id uuid NOT NULL; inherit TenantOwned, or say why it is global",
    ),
    "CREATE TABLE elsewhere.invoices AS SELECT * FROM children": (
        "elsewhere.invoices: has no forced row-level security",
        "elsewhere.invoices: stamps rows with something else than wall.tenant()",
    ),
    "CREATE TABLE invoices (LIKE children INCLUDING ALL); SELECT wall.enclose('invoices')": (
        "invoices: does not refer to tenants; add FOREIGN KEY (tenant_id) REFERENCES tenants (id)",
    ),
    "CREATE TABLE units (code text PRIMARY KEY); COMMENT ON TABLE units IS 'global: SI units'; "
    "SELECT wall.share('units')": (),
}


@pytest.mark.parametrize(("migration", "expected"), NEW_TABLES.items())
async def test_a_new_table_is_named_with_its_fix_unless_it_is_enclosed_or_shared(
    server: Server, probe_name: str, key: CapabilityKey, migration: str, expected: tuple[str, ...]
) -> None:
    settings = DatabaseSettings.model_validate({"url": server.admin(probe_name)})
    database = Database(settings, key)
    async with database.engine.connect() as connection:
        for statement in ("SET LOCAL ROLE service_owner", *migration.split("; ")):
            await connection.exec_driver_sql(statement)
        found = await wall_findings(connection)
    await database.engine.dispose()
    assert bool(found) is bool(expected), found
    for text in expected:
        assert any(line.startswith(text) for line in found), (text, found)


async def test_a_table_is_not_shared_without_a_reason(administrator: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.RaiseError, match="has no reason to be global") as refused:
        await administrator.execute(
            "BEGIN; SET LOCAL ROLE service_owner; CREATE TABLE units (); SELECT wall.share('units')"
        )
    await administrator.execute("ROLLBACK")
    assert "wall.enclose" in str(refused.value.hint)


async def test_production_refuses_an_old_postgres(
    administrator: asyncpg.Connection, probes: Database
) -> None:
    number = int(await administrator.fetchval("SHOW server_version_num"))
    major, minor = divmod(number, 10000)
    old = minor < SAFE_FLOOR.get(major, 0) or major < min(SAFE_FLOOR)
    await refuse_unsafe_database(probes, production=False)
    found = ""
    try:
        await refuse_unsafe_database(probes, production=True)
    except PostureRefused as refused:
        found = str(refused)
    assert (f"Postgres {major}.{minor}: upgrade" in found) is old
