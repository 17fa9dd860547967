"""A feature over the probe tables, so that the canaries have something to find in any service."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from service.chassis.application.tenancy import Tenancy
from service.chassis.contract.guards import allow
from service.chassis.contract.pages import AskedPage, Page
from service.chassis.contract.shapes import Accepted, Shown, StorableText
from service.chassis.errors import NotFound
from service.chassis.identity import Action

CanRead = Annotated[Tenancy, allow("probes", Action.READ)]
CanWrite = Annotated[Tenancy, allow("probes", Action.WRITE)]
router = APIRouter(prefix="/parents")
Text = Annotated[StorableText, Field(max_length=200)]


class ParentDraft(Accepted):
    slug: Text


class ChildDraft(Accepted):
    parent_id: Annotated[UUID, Field(strict=False)]
    body: Text


class Parent(Shown):
    id: UUID
    slug: str


class Child(Shown):
    id: UUID
    body: str


async def rows(tenancy: Tenancy, sql: str, **values: Any) -> list[Any]:
    try:
        async with tenancy.transaction() as session:
            return list(await session.execute(text(sql), values))
    except IntegrityError:
        raise NotFound("There is no such parent.") from None


async def one(tenancy: Tenancy, sql: str, **values: Any) -> Any:
    found = await rows(tenancy, sql, **values)
    if not found:
        raise NotFound("There is no such thing.")
    return found[0]


@router.post("", status_code=201)
async def create_parent(tenancy: CanWrite, draft: ParentDraft) -> Parent:
    sql = "INSERT INTO parents (slug) VALUES (:slug) RETURNING id, slug"
    return Parent.model_validate(await one(tenancy, sql, slug=draft.slug))


@router.get("")
async def list_parents(tenancy: CanRead, asked: AskedPage) -> Page[Parent]:
    after = UUID(asked.after[0]) if asked.after else UUID(int=0)
    sql = "SELECT id, slug FROM parents WHERE id > :after ORDER BY id LIMIT :count"
    found = await rows(tenancy, sql, after=after, count=asked.limit)
    more = [str(found[-1].id)] if len(found) == asked.limit else None
    return asked.page(Parent, found, more)


@router.put("/{parent_id}")
async def rename_parent(tenancy: CanWrite, parent_id: UUID, draft: ParentDraft) -> Parent:
    sql = "UPDATE parents SET slug = :slug WHERE id = :id RETURNING id, slug"
    return Parent.model_validate(await one(tenancy, sql, id=parent_id, slug=draft.slug))


@router.get("/{parent_id}")
async def read_parent(tenancy: CanRead, parent_id: UUID) -> Parent:
    sql = "SELECT id, slug FROM parents WHERE id = :id"
    return Parent.model_validate(await one(tenancy, sql, id=parent_id))


@router.delete("/{parent_id}", status_code=204)
async def delete_parent(tenancy: CanWrite, parent_id: UUID) -> None:
    await one(tenancy, "DELETE FROM parents WHERE id = :id RETURNING id", id=parent_id)


@router.post("/adopt", status_code=201)
async def adopt(tenancy: CanWrite, draft: ChildDraft) -> Child:
    sql = "INSERT INTO children (parent_id, body) VALUES (:parent, :body) RETURNING id, body"
    return Child.model_validate(await one(tenancy, sql, parent=draft.parent_id, body=draft.body))


@router.get("/search/children")
async def children_of(tenancy: CanRead, parent_id: UUID) -> list[Child]:
    sql = "SELECT id, body FROM children WHERE parent_id = :parent"
    return [Child.model_validate(row) for row in await rows(tenancy, sql, parent=parent_id)]
