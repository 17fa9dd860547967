"""Notes on the wire."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field

from service.chassis.application.runs import AsksModel
from service.chassis.application.tenancy import Tenancy
from service.chassis.contract.asking import asks
from service.chassis.contract.attempts import MODEL_CALLS
from service.chassis.contract.guards import allow
from service.chassis.contract.pages import AskedPage, Page
from service.chassis.contract.run_states import RunState
from service.chassis.contract.runs import show_run
from service.chassis.contract.shapes import Accepted, Shown, StorableText
from service.chassis.contract.versions import VersionRead, show_version
from service.chassis.identity import Action
from service.product.notes import application
from service.product.notes.intelligence import SUMMARIZE

CanRead = Annotated[Tenancy, allow("notes", Action.READ)]
CanWrite = Annotated[Tenancy, allow("notes", Action.WRITE)]
AsksForSummaries = Annotated[AsksModel, asks(SUMMARIZE, "Says what a note is about.")]

router = APIRouter(prefix="/notes", tags=["notes"])


class NoteDraft(Accepted):
    title: Annotated[StorableText, Field(min_length=1, max_length=200, examples=["Bread"])]
    body: Annotated[StorableText, Field(max_length=10_000, examples=["Flour, water, salt, time."])]


class NoteView(Shown):
    id: UUID
    title: str
    body: str
    version: int
    archived: bool
    created_at: datetime


@router.post("", status_code=201)
async def create_note(tenancy: CanWrite, draft: NoteDraft, response: Response) -> NoteView:
    note = await application.create_note(tenancy, draft.title, draft.body)
    response.headers["location"] = f"/v1/notes/{note.id}"
    show_version(response, note.version)
    return NoteView.model_validate(note)


@router.get("")
async def list_notes(tenancy: CanRead, asked: AskedPage) -> Page[NoteView]:
    notes, last = await application.list_notes(tenancy, asked.limit, asked.after)
    return asked.page(NoteView, notes, last)


@router.get("/{note_id}")
async def read_note(tenancy: CanRead, note_id: UUID, response: Response) -> NoteView:
    note = await application.read_note(tenancy, note_id)
    show_version(response, note.version)
    return NoteView.model_validate(note)


@router.put("/{note_id}")
async def change_note(
    tenancy: CanWrite, note_id: UUID, version: VersionRead, draft: NoteDraft, response: Response
) -> NoteView:
    note = await application.change_note(tenancy, note_id, version, draft.title, draft.body)
    show_version(response, note.version)
    return NoteView.model_validate(note)


@router.post("/{note_id}/archive")
async def archive_note(tenancy: CanWrite, note_id: UUID, response: Response) -> NoteView:
    note = await application.archive_note(tenancy, note_id)
    show_version(response, note.version)
    return NoteView.model_validate(note)


@router.post("/{note_id}/summary", status_code=202, dependencies=[MODEL_CALLS])
async def summarize_note(
    tenancy: CanRead, summaries: AsksForSummaries, note_id: UUID, response: Response
) -> RunState:
    """Asked; what becomes of it is told under the address in `location`."""
    return show_run(response, await application.summarize_note(tenancy, summaries, note_id))
