"""A database of this service inside any Postgres server: roles, wall, migrations."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg
from alembic import command
from alembic.config import Config

ROOT = Path(__file__).parent.parent
LOGINS = ("service_migrator", "service_app", "service_worker", "service_readonly", "service_system")


@dataclass(frozen=True)
class Server:
    """A Postgres that we administer, and the passwords of the roles we make there."""

    admin_url: str
    passwords: Mapping[str, str]

    def url(self, role: str, database: str) -> str:
        parts = urlsplit(self.admin_url)
        address = parts.netloc.rpartition("@")[2]
        login = f"{role}:{quote(self.passwords[role], safe='')}"
        return urlunsplit(parts._replace(netloc=f"{login}@{address}", path=f"/{database}"))

    def admin(self, database: str) -> str:
        return urlunsplit(urlsplit(self.admin_url)._replace(path=f"/{database}"))

    async def create(self, database: str) -> None:
        """Roles and an empty database of ours; safe to repeat."""
        connection = await asyncpg.connect(self.admin_url)
        known = await connection.fetchval(
            "SELECT true FROM pg_database WHERE datname = $1", database
        )
        if not known:
            await connection.execute(f'CREATE DATABASE "{database}" TEMPLATE template0')
        await connection.close()
        connection = await asyncpg.connect(self.admin(database))
        await connection.execute((ROOT / "migrations" / "bootstrap.sql").read_text("utf-8"))
        for role in LOGINS:
            await connection.execute(f"ALTER ROLE {role} PASSWORD '{self.passwords[role]}'")
        await connection.close()

    async def clone(self, template: str, database: str) -> None:
        connection = await asyncpg.connect(self.admin_url)
        await connection.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
        await connection.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        # A clone copies no database-level grants.
        await connection.execute(f'REVOKE ALL ON DATABASE "{database}" FROM PUBLIC')
        await connection.execute(f'GRANT CONNECT ON DATABASE "{database}" TO {", ".join(LOGINS)}')
        await connection.close()

    async def drop(self, database: str) -> None:
        connection = await asyncpg.connect(self.admin_url)
        await connection.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
        await connection.close()


def alembic(migrator_url: str) -> Config:
    os.environ["MIGRATION_DATABASE_URL"] = migrator_url
    return Config(str(ROOT / "alembic.ini"))


def migrate(migrator_url: str) -> None:
    command.upgrade(alembic(migrator_url), "heads")


def create_and_migrate(server: Server, database: str) -> None:
    asyncio.run(server.create(database))
    migrate(server.url("service_migrator", database))
