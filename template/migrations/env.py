"""How Alembic reaches the database: as the migrator, wearing the owner's hat."""

import asyncio
import importlib
import os
from collections.abc import Iterable
from pkgutil import iter_modules

from alembic import context
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

import service.chassis.app
import service.product
from service.chassis.application.database import driver_url
from service.chassis.application.tables import Table, TenantOwned

LOCK_TIMEOUT = "SET lock_timeout = '2s'"
STATEMENT_TIMEOUT = "SET statement_timeout = '60s'"
OWNER = "SET ROLE service_owner"


def import_models() -> None:
    for feature in iter_modules(service.product.__path__, "service.product."):
        try:
            importlib.import_module(f"{feature.name}.models")
        except ModuleNotFoundError as error:
            if error.name != f"{feature.name}.models":
                raise


def enclose_new_tables(
    _context: MigrationContext,
    _revision: str | Iterable[str | None] | Iterable[str],
    directives: list[ops.MigrationScript],
) -> None:
    """A generated migration puts each new tenant table behind the wall."""
    tenant_tables = {
        str(mapper.local_table)
        for mapper in Table.registry.mappers
        if issubclass(mapper.class_, TenantOwned)
    }
    for script in directives:
        upgrade = script.upgrade_ops
        assert upgrade is not None
        for created in [op for op in upgrade.ops if isinstance(op, ops.CreateTableOp)]:
            door = "enclose" if created.table_name in tenant_tables else "share"
            upgrade.ops.append(ops.ExecuteSQLOp(f"SELECT wall.{door}('{created.table_name}')"))


def configure(connection: Connection | None) -> None:
    import_models()
    context.configure(
        connection=connection,
        dialect_name="postgresql",
        target_metadata=Table.metadata,
        process_revision_directives=enclose_new_tables,
        transaction_per_migration=True,
        compare_type=True,
        compare_server_default=False,
    )


def migrate(connection: Connection) -> None:
    for statement in (LOCK_TIMEOUT, STATEMENT_TIMEOUT, OWNER):
        connection.execute(text(statement))
    connection.commit()
    configure(connection)
    with context.begin_transaction():
        context.run_migrations()


async def migrate_online() -> None:
    url = driver_url(os.environ["MIGRATION_DATABASE_URL"])
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()


def write_sql() -> None:
    """`alembic upgrade heads --sql`, which squawk reads."""
    configure(None)
    with context.begin_transaction():
        for statement in (LOCK_TIMEOUT, STATEMENT_TIMEOUT, OWNER):
            context.execute(statement)
        context.run_migrations()


if context.is_offline_mode():
    write_sql()
else:
    asyncio.run(migrate_online())
