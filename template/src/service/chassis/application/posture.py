"""What the database must be like before this service serves anyone."""

from importlib.resources import files

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from service.chassis.application.database import Database
from service.chassis.errors import Unavailable

# The first minor release of each major that carries every known fix of row security.
SAFE_FLOOR = {15: 20, 16: 16, 17: 12, 18: 7}
SERVING_ROLES = frozenset({"service_app", "service_worker"})
WALL = text((files(__package__) / "wall.sql").read_text("utf-8"))


class PostureRefused(Exception):
    """The database is not safe to serve from; the message names each finding and the fix."""


async def refuse_unsafe_database(database: Database, *, production: bool) -> None:
    try:
        findings = await _findings(database, production=production)
    except (Unavailable, SQLAlchemyError, asyncpg.PostgresError, TypeError) as error:
        what = type(error.__cause__ or error).__name__
        raise PostureRefused(f"DATABASE_URL: the database cannot be used ({what})") from error
    if findings:
        lines = "\n  ".join(findings)
        raise PostureRefused(f"The database is refused:\n  {lines}")


async def _findings(database: Database, *, production: bool) -> list[str]:
    async with database.engine.connect() as connection:
        findings = await privileged_login(connection) + await wall_findings(connection)
        if production:
            findings += await old_server(connection)
        return findings


async def privileged_login(connection: AsyncConnection) -> list[str]:
    login = (await connection.execute(text("SELECT session_user"))).scalar_one()
    if login in SERVING_ROLES:
        return []
    return [f"{login}: made for other work than serving; put service_app into DATABASE_URL"]


async def wall_findings(connection: AsyncConnection) -> list[str]:
    """Every hole in the wall, by the name of the object and the fix; none is the only pass."""
    rows = await connection.execute(WALL)
    return [f"{row.object}: {row.finding}" for row in rows]


async def old_server(connection: AsyncConnection) -> list[str]:
    version = (await connection.execute(text("SHOW server_version_num"))).scalar_one()
    major, minor = divmod(int(version), 10000)
    floor = SAFE_FLOOR.get(major)
    if major > max(SAFE_FLOOR) or (floor is not None and minor >= floor):
        return []
    supported = ", ".join(f"{m}.{n}" for m, n in SAFE_FLOOR.items())
    return [f"Postgres {major}.{minor}: upgrade to at least one of {supported}"]
