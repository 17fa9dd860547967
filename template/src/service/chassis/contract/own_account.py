"""One's own account, on the wire: the password, the address, one-time codes."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from service.chassis.application import account_letters, own_account
from service.chassis.application.tenancy import Tenancy
from service.chassis.contract.guards import allow
from service.chassis.contract.idempotency import unstored
from service.chassis.contract.members import Email
from service.chassis.contract.shapes import Accepted, Shown, StorableText
from service.chassis.identity import Action

CanUse = Annotated[Tenancy, allow("account", Action.READ)]
PasswordSent = Annotated[
    StorableText, Field(min_length=1, max_length=400, examples=["a violet gazebo, 19 herons"])
]
Code = Annotated[str, Field(pattern=r"^[0-9]{6}$", examples=["123456"])]

router = APIRouter(prefix="/account", tags=["own account"])


class PasswordChange(Accepted):
    old: PasswordSent
    new: PasswordSent


class NewEmail(Accepted):
    email: Email


class FirstCode(Accepted):
    code: Code


class EnrolmentView(Shown):
    """In this answer only; `uri` is for a QR code."""

    secret: str
    uri: str


class RecoveryCodes(Shown):
    """In this answer only; each is good once."""

    recovery_codes: list[str]


@router.put("/password", status_code=204)
async def change_password(request: Request, tenancy: CanUse, sent: PasswordChange) -> None:
    """Ends all other sessions."""
    await own_account.change_password(request.state.accounts, tenancy, sent.old, sent.new)


@router.post("/email", status_code=204)
async def request_new_email(request: Request, tenancy: CanUse, sent: NewEmail) -> None:
    """Sends a letter there; the address changes when its link is followed."""
    await account_letters.request_new_email(request.state.accounts, tenancy, sent.email)


@router.post("/totp", dependencies=[Depends(unstored)])
async def enrol_totp(request: Request, tenancy: CanUse) -> EnrolmentView:
    """Begins; nothing changes until a first code confirms it."""
    enrolment = await own_account.enrol_totp(request.state.accounts, tenancy)
    return EnrolmentView.model_validate(enrolment)


@router.post("/totp/confirm", dependencies=[Depends(unstored)])
async def confirm_totp(request: Request, tenancy: CanUse, sent: FirstCode) -> RecoveryCodes:
    """Signing in asks for a code from now on."""
    codes = await own_account.confirm_totp(request.state.accounts, tenancy, sent.code)
    return RecoveryCodes(recovery_codes=codes)


@router.delete("/totp", status_code=204)
async def remove_totp(tenancy: CanUse) -> None:
    """Needs a fresh sign-in."""
    await own_account.remove_totp(tenancy)
