"""The people of a tenant, on the wire."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator, Field

from service.chassis.application import members
from service.chassis.application.tenancy import Tenancy
from service.chassis.contract.guards import allow
from service.chassis.contract.pages import AskedPage, Page
from service.chassis.contract.shapes import Accepted, Shown, StorableText
from service.chassis.identity import Action, Role

CanRead = Annotated[Tenancy, allow("members", Action.READ)]
CanAdminister = Annotated[Tenancy, allow("members", Action.ADMINISTER)]
Email = Annotated[
    StorableText,
    Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$", json_schema_extra={"format": "email"}),
    AfterValidator(str.casefold),
]

router = APIRouter(prefix="/members", tags=["members"])


class Invitation(Accepted):
    email: Email
    name: Annotated[StorableText, Field(min_length=1, max_length=200)]
    role: Annotated[Role, Field(strict=False)] = Role.VIEWER


class NewRole(Accepted):
    role: Annotated[Role, Field(strict=False)]


class MemberView(Shown):
    id: UUID
    email: str
    name: str
    role: Role
    state: str
    created_at: datetime


@router.get("")
async def list_members(tenancy: CanRead, asked: AskedPage) -> Page[MemberView]:
    found, last = await members.list_members(tenancy, asked.limit, asked.after)
    return asked.page(MemberView, found, last)


@router.post("", status_code=201)
async def invite_member(
    request: Request, tenancy: CanAdminister, invitation: Invitation, response: Response
) -> MemberView:
    """They become a member when they follow the letter, or first sign in with this address."""
    invited = await members.invite_member(
        tenancy, invitation.email, invitation.name, invitation.role
    )
    request.state.tell_invited(tenancy, invited)
    response.headers["location"] = f"/v1/members/{invited.id}"
    return MemberView.model_validate(invited)


@router.get("/{member_id}")
async def read_member(tenancy: CanRead, member_id: UUID) -> MemberView:
    return MemberView.model_validate(await members.read_member(tenancy, member_id))


@router.put("/{member_id}/role")
async def change_role(tenancy: CanAdminister, member_id: UUID, sent: NewRole) -> MemberView:
    """Only owners make owners; the last one stays."""
    return MemberView.model_validate(await members.change_role(tenancy, member_id, sent.role))


@router.post("/{member_id}/disable")
async def disable_member(tenancy: CanAdminister, member_id: UUID) -> MemberView:
    """Ends their sessions, too."""
    return MemberView.model_validate(await members.disable_member(tenancy, member_id))


@router.post("/{member_id}/enable")
async def enable_member(tenancy: CanAdminister, member_id: UUID) -> MemberView:
    return MemberView.model_validate(await members.enable_member(tenancy, member_id))
