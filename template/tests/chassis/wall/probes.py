"""What the tests do with the probe tables, as the service would do it."""

from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, text

from service.chassis.application.database import Database
from service.chassis.identity import TenantId

ADD = "INSERT INTO parents (slug) VALUES (:slug) RETURNING id"
ADD_CHILD = "INSERT INTO children (parent_id) VALUES (:parent) RETURNING id"
SLUGS = "SELECT slug FROM parents ORDER BY slug"


async def run(database: Database, tenant: TenantId, sql: str, **values: Any) -> list[Any]:
    """One statement in a transaction of its own; the first column of what it returns."""
    async with database.transaction(tenant) as session:
        result = await session.execute(text(sql), values)
        assert isinstance(result, CursorResult)
        return list(result.scalars()) if result.returns_rows else []


async def add(database: Database, tenant: TenantId, slug: str) -> UUID:
    (added,) = await run(database, tenant, ADD, slug=slug)
    return UUID(str(added))


async def add_child(database: Database, tenant: TenantId, parent: UUID) -> UUID:
    (added,) = await run(database, tenant, ADD_CHILD, parent=parent)
    return UUID(str(added))
