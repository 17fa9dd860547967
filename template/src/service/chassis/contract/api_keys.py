"""Keys for machines, on the wire."""

from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import Field

from service.chassis.application import api_keys
from service.chassis.application.tenancy import Tenancy
from service.chassis.contract.guards import allow
from service.chassis.contract.idempotency import unstored
from service.chassis.contract.shapes import WHOLE, Accepted, Shown, StorableText
from service.chassis.identity import Action, Role

CanAdminister = Annotated[Tenancy, allow("api-keys", Action.ADMINISTER)]
Scope = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,60}:(read|write)$", examples=["notes:read"])]

router = APIRouter(prefix="/api-keys", tags=["api keys"])


class KeyRequest(Accepted):
    name: Annotated[StorableText, Field(min_length=1, max_length=100, examples=["Nightly export"])]
    role: Annotated[Literal["viewer", "editor"], Field(examples=["viewer"])]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=50, examples=[["notes:read"]])]
    days: Annotated[int, Field(ge=1, le=365), WHOLE] = 90


class KeyView(Shown):
    id: UUID
    name: str
    role: Role
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


class NewKey(KeyView):
    """The key is in this answer only."""

    key: str


def _with_secret(row: api_keys.KeyRow, key: str) -> NewKey:
    return NewKey(**KeyView.model_validate(row).model_dump(), key=key)


@router.get("")
async def list_keys(tenancy: CanAdminister) -> list[KeyView]:
    return [KeyView.model_validate(row) for row in await api_keys.list_keys(tenancy)]


@router.post("", status_code=201, dependencies=[Depends(unstored)])
async def create_key(tenancy: CanAdminister, asked: KeyRequest) -> NewKey:
    lifetime = timedelta(days=asked.days)
    role = Role(asked.role)
    made = await api_keys.create_key(tenancy, asked.name, role, asked.scopes, lifetime)
    return _with_secret(*made)


@router.post("/{key_id}/rotate", dependencies=[Depends(unstored)])
async def rotate_key(tenancy: CanAdminister, key_id: UUID) -> NewKey:
    """A new key in the place of the old one, which works for another day."""
    return _with_secret(*await api_keys.rotate_key(tenancy, key_id))


@router.delete("/{key_id}", status_code=204)
async def revoke_key(tenancy: CanAdminister, key_id: UUID) -> None:
    await api_keys.revoke_key(tenancy, key_id)
