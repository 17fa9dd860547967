"""Migrations go up, down and up again, leave no drift, and lock no one out for long."""

import asyncio
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from dev.database import Server, alembic, migrate
from dev.migrations import emitted_sql, lint_sql, squawk
from service.chassis.application.posture import wall_findings
from service.chassis.application.tables import Table

NAME = "service_migrations"


@pytest.fixture
def empty(server: Server, worker: str) -> Generator[str]:
    """A database with roles and schemas, and nothing migrated."""
    name = f"{NAME}_{worker}"
    asyncio.run(server.drop(name))
    asyncio.run(server.create(name))
    yield name
    asyncio.run(server.drop(name))


def in_database(server: Server, name: str, ask: Callable[[Connection], Any]) -> Any:
    async def run() -> Any:
        url = server.url("service_migrator", name).replace("postgresql:", "postgresql+asyncpg:")
        engine = create_async_engine(url)
        async with engine.connect() as connection:
            answer = await connection.run_sync(ask)
        await engine.dispose()
        return answer

    return asyncio.run(run())


def schema(connection: Connection) -> list[tuple[str, ...]]:
    """Tables, columns, policies and functions: all that a migration may leave behind."""
    queries = (
        """SELECT table_schema, table_name, column_name, data_type, column_default, is_nullable
        FROM information_schema.columns WHERE table_schema IN ('public', 'wall')""",
        "SELECT schemaname, tablename, policyname, qual, with_check FROM pg_policies",
        "SELECT schemaname, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "SELECT proname, md5(prosrc) FROM pg_proc WHERE pronamespace = 'wall'::regnamespace",
    )
    rows = [tuple(map(str, row)) for query in queries for row in connection.execute(text(query))]
    return sorted(rows)


def drift(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    # The table of a feature that was deleted keeps its rows until a migration drops it.
    return [
        change
        for change in compare_metadata(context, Table.metadata)
        if not (isinstance(change, tuple) and change[0] in {"remove_table", "remove_index"})
    ]


@pytest.mark.parametrize("branch", ["chassis", "product"])
def test_a_branch_has_one_head(branch: str) -> None:
    revisions = [
        revision
        for revision in ScriptDirectory.from_config(alembic("postgresql://x")).walk_revisions()
        if Path(revision.path).parent.name == branch
    ]
    followed = {revision.down_revision for revision in revisions}
    heads = [revision.revision for revision in revisions if revision.revision not in followed]
    assert len(heads) == 1, f"{heads} both end the branch; let one follow the other"


def test_up_down_and_up_again_is_the_same_as_up(server: Server, empty: str) -> None:
    url = server.url("service_migrator", empty)
    migrate(url)
    once = in_database(server, empty, schema)
    command.downgrade(alembic(url), "base")
    left = [row for row in in_database(server, empty, schema) if "alembic_version" not in row[1]]
    assert left == [], "a downgrade left something behind"
    migrate(url)
    assert in_database(server, empty, schema) == once
    assert once


def test_a_new_database_holds_nobody(server: Server, empty: str) -> None:
    migrate(server.url("service_migrator", empty))

    async def rows() -> dict[str, int]:
        connection = await asyncpg.connect(server.admin(empty))
        counts = {
            name: await connection.fetchval(f'SELECT count(*) FROM public."{name}"')
            for (name,) in await connection.fetch(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            )
        }
        await connection.close()
        return counts

    counted = asyncio.run(rows())
    assert {"members", "passwords", "tenants", "api_keys"} <= counted.keys()
    assert {name for name, count in counted.items() if count} == {"alembic_version"}


def test_the_migrated_database_is_what_the_models_say(server: Server, database_name: str) -> None:
    assert in_database(server, database_name, drift) == [], 'run: make migration m="…"'


async def test_every_table_is_behind_the_wall_or_says_why_not(
    server: Server, database_name: str
) -> None:
    url = server.url("service_app", database_name).replace("postgresql:", "postgresql+asyncpg:")
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        assert await wall_findings(connection) == []
    await engine.dispose()


def test_no_migration_waits_for_a_lock_without_end(tmp_path: Path) -> None:
    files = list(emitted_sql(tmp_path))
    assert {file.stem.split("_")[0] for file in files} >= {"c0001", "c0002", "p0000"}
    for file in files:
        assert "SET lock_timeout" in file.read_text("utf-8")


def test_a_running_migration_has_the_timeouts_that_the_linter_assumes(
    server: Server, empty: str
) -> None:
    async def held() -> None:
        engine = create_async_engine(
            server.admin(empty).replace("postgresql:", "postgresql+asyncpg:")
        )
        async with engine.begin() as connection:
            await connection.execute(text("CREATE TABLE public.tenants (id int)"))
            with pytest.raises(Exception, match="lock timeout"):
                await asyncio.to_thread(migrate, server.url("service_migrator", empty))
        await engine.dispose()

    asyncio.run(held())


def test_the_linter_passes_our_migrations_and_stops_a_bad_one(tmp_path: Path) -> None:
    assert squawk() == 0
    bad = tmp_path / "bad.sql"
    bad.write_text("CREATE INDEX by_title ON notes (title);\n")
    assert lint_sql([bad]) != 0
