"""What the tests of refresh tokens share."""

from typing import Any

from sqlalchemy import text

from service.chassis.application.database import Database
from service.chassis.application.sessions import Granted, Sessions
from service.chassis.errors import Unauthenticated

HERE = "192.0.2.1"


async def dead(sessions: Sessions, token: str) -> bool:
    try:
        await sessions.refresh(token, HERE)
    except Unauthenticated:
        return True
    return False


async def told(database: Database, of: Granted, sql: str) -> list[tuple[object, ...]]:
    """What the tenant's own rows say; `:session` is the session's id."""
    async with database.transaction(of.tenant_id) as session:
        rows: Any = await session.execute(text(sql), {"session": of.session_id})
        return [tuple(row) for row in rows] if rows.returns_rows else []


async def later(database: Database, of: Granted, seconds: float) -> None:
    """As if that much time had gone by for the whole session."""
    gone = f"interval '{seconds} seconds'"
    for table, column in (("refresh_tokens", "session_id"), ("sessions", "id")):
        used = f", used_at = used_at - {gone}" if table == "refresh_tokens" else ""
        changed = f"UPDATE {table} SET expires_at = expires_at - {gone}{used}"
        await told(database, of, f"{changed} WHERE {column} = :session")
