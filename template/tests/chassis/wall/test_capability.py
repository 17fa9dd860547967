"""Only a capability that the service signed, for this connection and this minute, is accepted."""

import time
from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from dev.database import Server
from service.chassis.application.capability import CapabilityKey
from service.chassis.application.database import Database
from service.chassis.application.keys import install_key, retire_key
from service.chassis.identity import TenantId
from service.chassis.sections import DatabaseSettings

BIND, ASK = "SELECT wall.bind($1)", "SELECT wall.tenant()"
UNBOUND, REFUSED, CARRIED = "TW001", "TW002", "TW003"
Forgery = Callable[[CapabilityKey, TenantId, int], str]


async def tenant_of(session: asyncpg.Connection, capability: str) -> object:
    async with session.transaction():
        await session.execute(BIND, capability)
        return await session.fetchval(ASK)


def parts(key: CapabilityKey, tenant: TenantId, pid: int) -> list[str]:
    return key.capability(tenant, pid).split("|")


def forged(at: int, value: str) -> Forgery:
    """One part changed, all others as they were signed."""

    def forgery(key: CapabilityKey, tenant: TenantId, pid: int) -> str:
        genuine = parts(key, tenant, pid)
        return "|".join([*genuine[:at], value, *genuine[at + 1 :]])

    return forgery


def signed(**claims: str | int | bytes) -> Forgery:
    """Well signed, with another key or for another time."""
    return lambda key, tenant, pid: replace(key, **claims).capability(tenant, pid)  # type: ignore[arg-type]


LATER = str(int(time.time()) + 9_000)
FORGERIES: dict[str, Forgery] = {
    "another tenant": forged(1, str(uuid4())),
    "another key id": forged(0, "k2"),
    "no key id": forged(0, ""),
    "a later expiry": forged(2, LATER),
    "another backend": lambda key, tenant, pid: key.capability(tenant, pid + 1),
    "another backend's number written in": forged(3, "1"),
    "no signature": forged(4, ""),
    "zeros for a signature": forged(4, "0" * 64),
    "half a signature": lambda key, tenant, pid: key.capability(tenant, pid)[:-32],
    "a signature in capitals": lambda key, tenant, pid: key.capability(tenant, pid).upper(),
    "a part more": lambda key, tenant, pid: key.capability(tenant, pid) + "|x",
    "a part less": lambda key, tenant, pid: "|".join(parts(key, tenant, pid)[:4]),
    "a space in front": lambda key, tenant, pid: " " + key.capability(tenant, pid),
    "fullwidth digits": lambda key, tenant, pid: key.capability(tenant, pid).replace("1", "\uff11"),
    "nothing but bars": lambda *_: "||||",
    "text": lambda *_: "' OR true --",
    "a megabyte": lambda *_: "|" * 1_000_000,
    "an expired one": signed(lifetime_seconds=-1),
    "another secret": signed(secret=b"x" * 64),
    "an unknown key": signed(key_id="k9"),
}


async def test_a_genuine_capability_names_its_tenant(
    session: asyncpg.Connection, key: CapabilityKey, ours: TenantId
) -> None:
    assert await tenant_of(session, key.capability(ours, session.get_server_pid())) == ours


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
async def test_anything_else_is_refused(
    session: asyncpg.Connection, key: CapabilityKey, ours: TenantId, forgery: Forgery
) -> None:
    pid = session.get_server_pid()
    with pytest.raises(asyncpg.PostgresError) as refused:
        await tenant_of(session, forgery(key, ours, pid))
    assert refused.value.sqlstate == REFUSED
    assert await tenant_of(session, key.capability(ours, pid)) == ours


async def test_a_capability_expires_inside_a_transaction(
    session: asyncpg.Connection, key: CapabilityKey, ours: TenantId
) -> None:
    brief = replace(key, lifetime_seconds=1).capability(ours, session.get_server_pid())
    async with session.transaction():
        await session.execute(BIND, brief)
        assert await session.fetchval(ASK) == ours
        with pytest.raises(asyncpg.PostgresError, match="not valid here"):
            await session.execute("SELECT pg_sleep(2.1); SELECT wall.tenant()")


@pytest.mark.parametrize("capability", ["", None])
async def test_no_capability_is_loud(session: asyncpg.Connection, capability: str | None) -> None:
    with pytest.raises(asyncpg.PostgresError) as refused:
        await tenant_of(session, capability)  # type: ignore[arg-type]
    assert refused.value.sqlstate == UNBOUND


async def test_a_binding_cannot_be_replaced(
    session: asyncpg.Connection, key: CapabilityKey, ours: TenantId, theirs: TenantId
) -> None:
    pid = session.get_server_pid()
    async with session.transaction():
        await session.execute(BIND, key.capability(ours, pid))
        savepoint = session.transaction()
        await savepoint.start()
        with pytest.raises(asyncpg.PostgresError) as refused:
            await session.execute(BIND, key.capability(theirs, pid))
        await savepoint.rollback()
        assert await session.fetchval(ASK) == ours
    assert refused.value.sqlstate == CARRIED


@pytest.mark.parametrize(
    "role", ["service_app", "service_worker", "service_readonly", "service_system", "service_owner"]
)
async def test_no_role_reads_or_changes_the_keys(
    administrator: asyncpg.Connection, role: str
) -> None:
    for sql in ("SELECT * FROM wall.keys", "DELETE FROM wall.keys", "SELECT wall.retire_key('k1')"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await administrator.execute(f"BEGIN; SET LOCAL SESSION AUTHORIZATION {role}; {sql}")
        await administrator.execute("ROLLBACK")
    assert await administrator.fetchval("SELECT count(*) FROM wall.keys") >= 1


async def test_a_key_is_exchanged_while_the_service_works(
    server: Server, probe_name: str, probe_settings: DatabaseSettings, ours: TenantId
) -> None:
    migrator = server.url("service_migrator", probe_name)
    old, new = (CapabilityKey(f"r{uuid4().hex[:8]}", uuid4().bytes * 3, 60) for _ in range(2))
    before, after = Database(probe_settings, old), Database(probe_settings, new)
    await install_key(migrator, old)
    await works(before, ours)
    with pytest.raises(DBAPIError, match="not valid here"):
        await works(after, ours)
    await install_key(migrator, new)
    await works(before, ours)
    await works(after, ours)
    await retire_key(migrator, old.key_id)
    await works(after, ours)
    with pytest.raises(DBAPIError, match="not valid here"):
        await works(before, ours)
    await before.engine.dispose()
    await after.engine.dispose()


async def works(database: Database, tenant: TenantId) -> None:
    async with database.transaction(tenant) as session:
        assert await session.scalar(text(ASK)) == tenant


@pytest.mark.parametrize("retired", [False, True])
async def test_a_key_id_is_never_given_to_a_second_key_nor_back_to_a_retired_one(
    server: Server, probe_name: str, *, retired: bool
) -> None:
    migrator = server.url("service_migrator", probe_name)
    first = CapabilityKey(f"reused-{retired}".lower(), b"a" * 64, 60)
    await install_key(migrator, first)
    await install_key(migrator, first)
    second = first
    if retired:
        await retire_key(migrator, first.key_id)
    else:
        second = CapabilityKey(first.key_id, b"b" * 64, 60)
    with pytest.raises(DBAPIError, match="taken by another key, or retired"):
        await install_key(migrator, second)
