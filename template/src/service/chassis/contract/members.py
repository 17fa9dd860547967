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
    Field(
        max_length=254,
        pattern=r"^[^@\s]+@[^@\s]+$",
        json_schema_extra={"format": "email"},
        examples=["ada@example.org"],
    ),
    AfterValidator(str.casefold),
]

RoleSent = Annotated[Role, Field(strict=False, examples=["editor"])]

router = APIRouter(prefix="/members", tags=["members"])


class Invitation(Accepted):
    email: Email
    name: Annotated[StorableText, Field(min_length=1, max_length=200, examples=["Ada"])]
    role: RoleSent = Role.VIEWER


class NewRole(Accepted):
    role: RoleSent


class MemberView(Shown):
    """What colleagues see of each other."""

    id: UUID
    name: str
    role: Role
    created_at: datetime


class AdministeredMember(MemberView):
    """With what only administrators see."""

    email: str
    state: str


def _shape(tenancy: Tenancy) -> type[MemberView]:
    return AdministeredMember if members.sees_all(tenancy.caller) else MemberView


@router.get("")
async def list_members(
    tenancy: CanRead, asked: AskedPage
) -> Page[AdministeredMember] | Page[MemberView]:
    """Administrators see addresses and states as well."""
    found, last = await members.list_members(tenancy, asked.limit, asked.after)
    return asked.page(_shape(tenancy), found, last)


@router.post("", status_code=201)
async def invite_member(
    request: Request, tenancy: CanAdminister, invitation: Invitation, response: Response
) -> AdministeredMember:
    """They become a member when they follow the letter, or first sign in with this address."""
    invited = await members.invite_member(
        tenancy, invitation.email, invitation.name, invitation.role
    )
    request.state.tell_invited(tenancy, invited)
    response.headers["location"] = f"/v1/members/{invited.id}"
    return AdministeredMember.model_validate(invited)


@router.get("/{member_id}")
async def read_member(tenancy: CanRead, member_id: UUID) -> AdministeredMember | MemberView:
    """Administrators see the address and the state as well."""
    return _shape(tenancy).model_validate(await members.read_member(tenancy, member_id))


@router.put("/{member_id}/role")
async def change_role(tenancy: CanAdminister, member_id: UUID, sent: NewRole) -> AdministeredMember:
    """Only owners make owners; the last one stays."""
    return AdministeredMember.model_validate(
        await members.change_role(tenancy, member_id, sent.role)
    )


@router.post("/{member_id}/disable")
async def disable_member(tenancy: CanAdminister, member_id: UUID) -> AdministeredMember:
    """Ends their sessions, too."""
    return AdministeredMember.model_validate(await members.disable_member(tenancy, member_id))


@router.post("/{member_id}/enable")
async def enable_member(tenancy: CanAdminister, member_id: UUID) -> AdministeredMember:
    return AdministeredMember.model_validate(await members.enable_member(tenancy, member_id))
