"""What can be done with notes. Every use case says first for whom."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, insert, select, tuple_, update

from service.chassis.application.runs import AsksModel, RunRow
from service.chassis.application.tables import table_of
from service.chassis.application.tenancy import Tenancy
from service.chassis.errors import Malformed, NotFound, Stale
from service.chassis.identity import Action, Permission
from service.chassis.intelligence.citations import Source
from service.product.notes.models import Note

MAY_READ = Permission("notes", Action.READ)
MAY_WRITE = Permission("notes", Action.WRITE)

# Statements are built once, and on the table rather than the class: composing them anew, or
# making objects of the rows, costs more than running them.
NOTES = table_of(Note)
notes = NOTES.c
SHOWN = (notes.id, notes.title, notes.body, notes.version, notes.archived, notes.created_at)
POSITION = (notes.created_at, notes.id)
READ = select(*SHOWN).where(notes.id == bindparam("note_id"))
NEWEST = (
    select(*SHOWN)
    .where(~notes.archived)
    .order_by(notes.created_at.desc(), notes.id.desc())
    .limit(bindparam("count"))
)
OLDER = NEWEST.where(tuple_(*POSITION) < tuple_(bindparam("created_at"), bindparam("id")))
CREATE = insert(NOTES).returning(*SHOWN)
CHANGE = (
    update(NOTES)
    .where(notes.id == bindparam("note_id"), notes.version == bindparam("version_read"))
    .values(title=bindparam("new_title"), body=bindparam("new_body"), version=notes.version + 1)
    .returning(*SHOWN)
)
ARCHIVE = (
    update(NOTES)
    .where(notes.id == bindparam("note_id"), ~notes.archived)
    .values(archived=True, version=notes.version + 1)
)

NoteRow = Row[*tuple[Any, ...]]


async def create_note(tenancy: Tenancy, title: str, body: str) -> NoteRow:
    async with tenancy.transaction(MAY_WRITE) as session:
        return (await session.execute(CREATE, {"title": title, "body": body})).one()


async def read_note(tenancy: Tenancy, note_id: UUID) -> NoteRow:
    async with tenancy.transaction(MAY_READ) as session:
        note = (await session.execute(READ, {"note_id": note_id})).one_or_none()
    if note is None:
        raise NotFound("There is no such note.")
    return note


async def list_notes(
    tenancy: Tenancy, count: int, after: list[str] | None
) -> tuple[Sequence[NoteRow], list[str] | None]:
    """The newest first, and the position to go on from if there is more."""
    statement, values = (OLDER, _position(after)) if after else (NEWEST, {})
    async with tenancy.transaction(MAY_READ) as session:
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
    async with tenancy.transaction(MAY_WRITE) as session:
        changed = (await session.execute(CHANGE, change)).one_or_none()
    if changed is None:
        await read_note(tenancy, note_id)
        raise Stale("The note has changed since you read it; read it again.")
    return changed


async def archive_note(tenancy: Tenancy, note_id: UUID) -> NoteRow:
    """Archiving twice is archiving once."""
    async with tenancy.transaction(MAY_WRITE) as session:
        await session.execute(ARCHIVE, {"note_id": note_id})
    return await read_note(tenancy, note_id)


async def summarize_note(tenancy: Tenancy, summaries: AsksModel, note_id: UUID) -> RunRow:
    note = await read_note(tenancy, note_id)
    source = Source(str(note.id), note.title)
    return await summaries.ask(tenancy, MAY_READ, f"[{source.id}] {note.body}", [source])
