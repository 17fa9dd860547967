"""What is on record stays as it was, and whoever changes it past the service is found out."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import asyncpg
import pytest
from chassis.application.acting import rows, tenancy_of

from dev.database import Server
from service.chassis.app import Service
from service.chassis.application.audit import Actor, record, verify_audit
from service.chassis.application.database import Database
from service.chassis.identity import Role, TenantId

LOGINS = ("service_app", "service_worker", "service_readonly", "service_system")
CHANGES = (
    "UPDATE audit_log SET detail = 'nothing happened'",
    "UPDATE audit_log SET number = number",
    "DELETE FROM audit_log",
    "TRUNCATE audit_log",
    "DROP TABLE audit_log",
    "ALTER TABLE audit_log DISABLE TRIGGER audit_chain",
    "ALTER TABLE audit_log DISABLE ROW LEVEL SECURITY",
    "CREATE OR REPLACE FUNCTION audit_chain() RETURNS trigger LANGUAGE sql AS ''",
)


@pytest.fixture
async def administrator(server: Server, database_name: str) -> AsyncGenerator[asyncpg.Connection]:
    """Goes around everything, as whoever owns the server can."""
    connection = await asyncpg.connect(server.admin(database_name))
    yield connection
    await connection.close()


async def written(database: Database, tenant: TenantId, count: int = 1, action: str = "x") -> None:
    for number in range(count):
        async with database.transaction(tenant) as session:
            await record(session, Actor("somebody", "192.0.2.1"), action, number, "detail")


@pytest.mark.case("O-05")
@pytest.mark.parametrize("role", LOGINS)
@pytest.mark.parametrize("change", CHANGES)
async def test_no_role_of_the_service_changes_the_record(
    server: Server, database_name: str, role: str, change: str
) -> None:
    connection = await asyncpg.connect(server.url(role, database_name))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(change)
    finally:
        await connection.close()


async def test_whoever_writes_chooses_neither_number_nor_time_nor_hash(
    app: Service, acme: TenantId
) -> None:
    forged = """INSERT INTO audit_log (number, at, previous, hash, actor, action, target, address,
        trace_id, detail) VALUES (99, '2000-01-01', 'x', 'y', 'a', 'b', '', '', '', '')"""
    await rows(app, acme, forged)
    seen = await rows(
        app, acme, "SELECT number, at > now() - interval '1 hour', hash FROM audit_log"
    )
    assert seen[0][:2] == (1, True)
    assert seen[0][2] != b"y"


EDITS = ["actor = 'x'", "action = 'y'", "target = 'z'", "address = ''", "trace_id = 'x'"]
EDITS += ["detail = ''", "at = at - interval '1 day'", "hash = ''", "previous = ''"]
EDITS += ["id = gen_random_uuid()"]
DAMAGES = [(f"UPDATE audit_log SET {edit} WHERE number = 3", 3) for edit in EDITS]
DAMAGES += [
    ("DELETE FROM audit_log WHERE number = 1", 2),
    ("DELETE FROM audit_log WHERE number = 3", 4),
    ("UPDATE audit_log SET number = number + 100 WHERE number = 3", 4),
    ("UPDATE audit_log SET number = 0 - number WHERE number IN (3, 4)", -4),
]


async def verdict(app: Service, tenant: TenantId) -> Any:
    return await verify_audit(await tenancy_of(app, tenant, Role.ADMIN))


@pytest.mark.case("O-05")
@pytest.mark.parametrize(("damage", "found"), DAMAGES)
async def test_the_chain_shows_what_even_an_administrator_changed(
    app: Service,
    acme: TenantId,
    administrator: asyncpg.Connection,
    damage: str,
    found: int,
) -> None:
    await written(app.state.given["database"], acme, 5)
    before = await verdict(app, acme)
    assert (before.broken_at, before.lines) == (None, 6)
    await administrator.execute(f"{damage} AND tenant_id = '{acme}'")
    assert (await verdict(app, acme)).broken_at == found


@pytest.mark.case("O-05")
async def test_the_chain_shows_two_rows_that_changed_places(
    app: Service, acme: TenantId, administrator: asyncpg.Connection
) -> None:
    await written(app.state.given["database"], acme, 5)
    for number, place in ((3, 103), (4, 3), (103, 4)):
        moved = "UPDATE audit_log SET number = $1 WHERE number = $2 AND tenant_id = $3"
        await administrator.execute(moved, place, number, acme)
    assert (await verdict(app, acme)).broken_at == 3


@pytest.mark.case("O-05")
async def test_a_cut_end_shows_against_what_was_kept_elsewhere(
    app: Service, acme: TenantId, administrator: asyncpg.Connection
) -> None:
    await written(app.state.given["database"], acme, 5)
    kept = await verdict(app, acme)
    newest = "DELETE FROM audit_log WHERE tenant_id = $1 AND number > 3"
    await administrator.execute(newest, acme)
    head = "SELECT hash FROM audit_log WHERE tenant_id = $1 AND number = $2"
    assert await administrator.fetchval(head, acme, kept.lines) is None


async def test_many_writers_at_once_leave_a_chain_without_a_gap(
    app: Service, database: Database, acme: TenantId, rival: TenantId
) -> None:
    tenants = [acme, rival] * 25
    await asyncio.gather(*(written(database, tenant) for tenant in tenants))
    for tenant in (acme, rival):
        numbers = await rows(app, tenant, "SELECT number FROM audit_log ORDER BY number")
        assert [row[0] for row in numbers] == list(range(1, 26))
        assert (await verdict(app, tenant)).broken_at is None


async def test_what_did_not_happen_is_not_on_record(
    app: Service, database: Database, acme: TenantId
) -> None:
    async with database.transaction(acme) as session:
        await record(session, Actor("somebody"), "undone")
        await session.rollback()
    await written(database, acme)
    assert await rows(app, acme, "SELECT number, action FROM audit_log") == [(1, "x")]
