"""The yardstick: what a prototype does. No sign-in, no tenancy, no logs; ORM objects."""

import os
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict
from sqlalchemy import DateTime, make_url, select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

url = make_url(os.environ["BARE_DATABASE_URL"]).set(drivername="postgresql+asyncpg")
sessions = async_sessionmaker(create_async_engine(url, pool_size=10), expire_on_commit=False)
OWNER = UUID(os.environ["BARE_TENANT"])
app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False})


class Base(DeclarativeBase):
    type_annotation_map = {datetime: DateTime(timezone=True)}


class Note(Base):
    __tablename__ = "notes"
    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    tenant_id: Mapped[UUID]
    title: Mapped[str]
    body: Mapped[str]
    version: Mapped[int] = mapped_column(server_default="1")
    archived: Mapped[bool] = mapped_column(server_default="false")
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class NoteIn(BaseModel):
    title: str
    body: str


class NoteOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: UUID
    title: str
    body: str
    version: int
    archived: bool
    created_at: datetime


async def session() -> AsyncGenerator[AsyncSession]:
    async with sessions() as opened:
        yield opened


Db = Annotated[AsyncSession, Depends(session)]


@app.get("/v1/notes")
async def list_notes(db: Db, limit: int = 20) -> list[NoteOut]:
    mine = select(Note).where(Note.tenant_id == OWNER, ~Note.archived)
    newest = mine.order_by(Note.created_at.desc(), Note.id.desc()).limit(limit)
    return [NoteOut.model_validate(note) for note in await db.scalars(newest)]


@app.get("/v1/notes/{note_id}")
async def read_note(note_id: UUID, db: Db) -> NoteOut:
    note = await db.scalar(select(Note).where(Note.id == note_id, Note.tenant_id == OWNER))
    if note is None:
        raise HTTPException(404)
    return NoteOut.model_validate(note)


@app.post("/v1/notes", status_code=201)
async def create_note(draft: NoteIn, db: Db) -> NoteOut:
    note = Note(tenant_id=OWNER, title=draft.title, body=draft.body)
    db.add(note)
    await db.commit()
    return NoteOut.model_validate(note)
