"""What can be done with notes. Every use case says first for whom."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, insert, select, tuple_, update

from service.chassis.application.tenancy import Tenancy
from service.chassis.errors import Malformed, NotFound, Stale
from service.product.notes.intelligence import SUMMARIZE
from service.product.notes.models import Note

# Statements are built once: composing and caching them anew costs more than running them.
SHOWN = (Note.id, Note.title, Note.body, Note.version, Note.archived, Note.created_at)
POSITION = (Note.created_at, Note.id)
READ = select(*SHOWN).where(Note.id == bindparam("note_id"))
NEWEST = (
    select(*SHOWN)
    .where(~Note.archived)
    .order_by(Note.created_at.desc(), Note.id.desc())
    .limit(bindparam("count"))
)
OLDER = NEWEST.where(tuple_(*POSITION) < tuple_(bindparam("created_at"), bindparam("id")))
CREATE = insert(Note).returning(*SHOWN)
CHANGE = (
    update(Note)
    .where(Note.id == bindparam("note_id"), Note.version == bindparam("version_read"))
    .values(title=bindparam("new_title"), body=bindparam("new_body"), version=Note.version + 1)
    .returning(*SHOWN)
)
ARCHIVE = (
    update(Note)
    .where(Note.id == bindparam("note_id"), ~Note.archived)
    .values(archived=True, version=Note.version + 1)
)

NoteRow = Row[UUID, str, str, int, bool, datetime]


async def create_note(tenancy: Tenancy, title: str, body: str) -> NoteRow:
    async with tenancy.transaction() as session:
        return (await session.execute(CREATE, {"title": title, "body": body})).one()


async def read_note(tenancy: Tenancy, note_id: UUID) -> NoteRow:
    async with tenancy.transaction() as session:
        note = (await session.execute(READ, {"note_id": note_id})).one_or_none()
    if note is None:
        raise NotFound("There is no such note.")
    return note


async def list_notes(
    tenancy: Tenancy, count: int, after: list[str] | None
) -> tuple[Sequence[NoteRow], list[str] | None]:
    """The newest first, and the position to go on from if there is more."""
    statement, values = (OLDER, _position(after)) if after else (NEWEST, {})
    async with tenancy.transaction() as session:
        rows = (await session.execute(statement, {"count": count + 1, **values})).all()
    shown = rows[:count]
    more = len(rows) > count
    return shown, [shown[-1].created_at.isoformat(), str(shown[-1].id)] if more else None


def _position(after: list[str]) -> dict[str, Any]:
    try:
        created_at, note_id = after
        return {"created_at": datetime.fromisoformat(created_at), "id": UUID(note_id)}
    except ValueError:
        raise Malformed("The cursor does not belong to this list; start without one.") from None


async def change_note(
    tenancy: Tenancy, note_id: UUID, version_read: int, title: str, body: str
) -> NoteRow:
    change = {
        "note_id": note_id,
        "version_read": version_read,
        "new_title": title,
        "new_body": body,
    }
    async with tenancy.transaction() as session:
        changed = (await session.execute(CHANGE, change)).one_or_none()
    if changed is None:
        await read_note(tenancy, note_id)
        raise Stale("The note has changed since you read it; read it again.")
    return changed


async def archive_note(tenancy: Tenancy, note_id: UUID) -> NoteRow:
    """Archiving twice is archiving once."""
    async with tenancy.transaction() as session:
        await session.execute(ARCHIVE, {"note_id": note_id})
    return await read_note(tenancy, note_id)


async def summarize_note(tenancy: Tenancy, note_id: UUID) -> str:
    note = await read_note(tenancy, note_id)
    return await tenancy.intelligence.ask(SUMMARIZE, note.body)
