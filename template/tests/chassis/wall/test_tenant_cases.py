"""What the database itself refuses, whatever the application forgets: keys, links, cascades."""

from uuid import uuid4

import asyncpg
import pytest
from chassis.wall.probes import ADD_CHILD, SLUGS, add, add_child, run
from sqlalchemy.exc import DBAPIError, IntegrityError

from service.chassis.application.database import Database
from service.chassis.identity import TenantId

CHILDREN = (
    "SELECT md5(string_agg(id::text || parent_id::text || body, ',' ORDER BY id)) FROM children"
)
UPSERT = "INSERT INTO parents (slug) VALUES (:slug) ON CONFLICT {} RETURNING xmax::text"
BY_ID = "SELECT slug FROM parents WHERE id = :id"


async def test_a_row_is_its_tenants_alone(
    probes: Database, ours: TenantId, theirs: TenantId
) -> None:
    """The control of all that follows: the same question, asked by either side."""
    parent = await add(probes, theirs, "theirs")
    assert await run(probes, theirs, BY_ID, id=parent) == ["theirs"]
    assert await run(probes, ours, BY_ID, id=parent) == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE parents SET slug = 'taken' WHERE id = :id RETURNING id",
        "DELETE FROM parents WHERE id = :id RETURNING id",
        "MERGE INTO parents p USING (SELECT 1) x ON p.id = :id WHEN MATCHED THEN DELETE",
        "SELECT id FROM parents WHERE id = :id FOR UPDATE",
    ],
)
async def test_no_statement_reaches_another_tenants_row(
    probes: Database, ours: TenantId, theirs: TenantId, change: str
) -> None:
    parent = await add(probes, theirs, "theirs")
    assert await run(probes, ours, change, id=parent) == []
    assert await run(probes, theirs, SLUGS) == ["theirs"]


async def test_a_child_cannot_point_at_another_tenants_parent(
    probes: Database, ours: TenantId, theirs: TenantId
) -> None:
    mine, foreign = await add(probes, ours, "mine"), await add(probes, theirs, "theirs")
    await add_child(probes, ours, mine)
    answers = []
    for parent in (foreign, uuid4()):
        with pytest.raises(IntegrityError, match="children_parent_fkey") as refused:
            await run(probes, ours, ADD_CHILD, parent=parent)
        answers.append(str(refused.value.orig).replace(str(parent), "?"))
    assert answers[0] == answers[1], "a row of theirs answers like no row at all"


async def test_a_key_that_another_tenant_uses_is_free(
    probes: Database, ours: TenantId, theirs: TenantId
) -> None:
    await add(probes, theirs, "taken")
    await add(probes, ours, "taken")
    with pytest.raises(IntegrityError, match="duplicate key"):
        await add(probes, ours, "taken")


@pytest.mark.parametrize(
    "conflict", ["DO NOTHING", "(tenant_id, slug) DO UPDATE SET slug = excluded.slug"]
)
async def test_an_upsert_meets_only_our_own_rows(
    probes: Database, ours: TenantId, theirs: TenantId, conflict: str
) -> None:
    upsert = UPSERT.format(conflict)
    await add(probes, theirs, "taken")
    assert await run(probes, ours, upsert, slug="taken") == ["0"], "inserted, like a free one"
    assert await run(probes, ours, upsert, slug="taken") != ["0"], "met our own"
    assert await run(probes, theirs, SLUGS) == ["taken"]


async def test_an_id_that_another_tenant_uses_is_free(
    probes: Database, ours: TenantId, theirs: TenantId
) -> None:
    parent = await add(probes, theirs, "theirs")
    same = "INSERT INTO parents (id, slug) VALUES (:id, 'ours') RETURNING slug"
    assert await run(probes, ours, same, id=parent) == ["ours"]
    assert await run(probes, theirs, BY_ID, id=parent) == ["theirs"]


async def test_a_cascade_stays_with_its_tenant(
    probes: Database, ours: TenantId, theirs: TenantId
) -> None:
    """Even for the same id on both sides, which only an attacker would arrange."""
    parent = await add(probes, ours, "ours")
    twin = "INSERT INTO parents (id, slug) VALUES (:id, 'theirs')"
    await run(probes, theirs, twin, id=parent)
    for tenant in (ours, theirs):
        await add_child(probes, tenant, parent)
    before = await run(probes, ours, CHILDREN)
    await run(probes, theirs, "DELETE FROM parents WHERE id = :id", id=parent)
    assert await run(probes, theirs, "SELECT count(*) FROM children") == [0]
    assert await run(probes, ours, CHILDREN) == before != [None]


@pytest.mark.parametrize("tenant_id", ["theirs", "nobody's", "null"])
async def test_a_row_cannot_be_written_for_someone_else(
    probes: Database, ours: TenantId, theirs: TenantId, tenant_id: str
) -> None:
    owner = {"theirs": theirs, "nobody's": uuid4(), "null": None}[tenant_id]
    insert = "INSERT INTO parents (tenant_id, slug) VALUES (:tenant_id, 'planted')"
    with pytest.raises(DBAPIError, match=r"row-level security|null value"):
        await run(probes, ours, insert, tenant_id=owner)
    await run(probes, ours, insert, tenant_id=ours)
    assert await run(probes, theirs, SLUGS) == []


async def test_the_owner_of_the_tables_sees_nothing_either(
    probes: Database, administrator: asyncpg.Connection, ours: TenantId
) -> None:
    """FORCE: a migration that reads without a tenant fails loudly instead of reading all."""
    await add(probes, ours, "mine")
    assert await administrator.fetchval("SELECT count(*) FROM parents") >= 1
    transaction = administrator.transaction()
    await transaction.start()
    await administrator.execute("SET LOCAL ROLE service_owner")
    assert await administrator.fetch(SLUGS) == []
    await transaction.rollback()


async def test_a_tenant_sees_itself_in_the_registry_and_changes_nothing(
    probes: Database, ours: TenantId
) -> None:
    assert await run(probes, ours, "SELECT id FROM tenants") == [ours]
    with pytest.raises(DBAPIError, match="permission denied"):
        await run(probes, ours, "UPDATE tenants SET name = 'renamed'")


async def test_a_global_table_is_read_by_all_and_written_by_none(
    probes: Database, ours: TenantId
) -> None:
    assert await run(probes, ours, "SELECT count(*) FROM currencies") == [0]
    with pytest.raises(DBAPIError, match="permission denied"):
        await run(probes, ours, "INSERT INTO currencies VALUES ('EUR', 'Euro')")
