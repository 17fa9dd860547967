"""Built-in accounts, on the wire: signing in, and what letters lead to."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import Field

from service.chassis.application import account_letters
from service.chassis.application import accounts as application
from service.chassis.application.accounts import Accounts, Presented
from service.chassis.application.second_factors import Proof
from service.chassis.application.tenancy import Tenancy
from service.chassis.contract import own_account, passkeys
from service.chassis.contract.guards import address_of, allow, public
from service.chassis.contract.members import Email
from service.chassis.contract.own_account import Code, PasswordSent
from service.chassis.contract.sessions import Tokens, tokens_of
from service.chassis.contract.shapes import Accepted, StorableText, TenantNamed
from service.chassis.identity import Action, TenantId

CanAdminister = Annotated[Tenancy, allow("members", Action.ADMINISTER)]
RecoveryCode = Annotated[StorableText, Field(max_length=100)]
TokenSent = Annotated[
    StorableText, Field(min_length=1, max_length=200, examples=["what the letter says"])
]

router = APIRouter(tags=["accounts"])
router.include_router(own_account.router)
router.include_router(passkeys.router)


class PasswordSignIn(Accepted):
    tenant: TenantNamed
    email: Email
    password: PasswordSent
    totp: Code | None = None
    recovery_code: RecoveryCode | None = None


class ResetRequest(Accepted):
    tenant: TenantNamed
    email: Email


class PasswordByLetter(Accepted):
    token: TokenSent
    password: PasswordSent


class EmailProof(Accepted):
    token: TokenSent


def _accounts(request: Request) -> Accounts:
    accounts: Accounts = request.state.accounts
    return accounts


@router.post("/sign-in/password", dependencies=[public("the password is the credential")])
async def sign_in(request: Request, sent: PasswordSignIn) -> Tokens:
    """One refusal for everything that can be wrong; a missing second factor has its own."""
    proof = Proof(sent.totp, sent.recovery_code)
    presented = Presented(TenantId(sent.tenant), sent.email, sent.password, proof)
    granted = await application.sign_in(_accounts(request), presented, address_of(request))
    return tokens_of(request, granted)


@router.post(
    "/accounts/reset-letter",
    status_code=204,
    dependencies=[public("who forgot the password cannot sign in")],
)
async def request_reset(request: Request, sent: ResetRequest) -> None:
    """The same answer whether there is such an account or not."""
    tenant, address = TenantId(sent.tenant), address_of(request)
    await account_letters.request_reset(_accounts(request), tenant, sent.email, address)


@router.post(
    "/accounts/reset",
    status_code=204,
    dependencies=[public("the token from the letter is the credential")],
)
async def reset_password(request: Request, sent: PasswordByLetter) -> None:
    """Ends all sessions of the account; sign in with the new password then."""
    await _set_password(request, account_letters.RESET, sent)


@router.post(
    "/accounts/accept-invitation",
    status_code=204,
    dependencies=[public("the token from the letter is the credential")],
)
async def accept_invitation(request: Request, sent: PasswordByLetter) -> None:
    """Joins the tenant, with this password."""
    await _set_password(request, account_letters.ACCEPT, sent)


async def _set_password(
    request: Request, what: account_letters.NewPassword, sent: PasswordByLetter
) -> None:
    accounts, address = _accounts(request), address_of(request)
    await account_letters.set_password(accounts, what, sent.token, sent.password, address)


@router.post(
    "/accounts/verify-email",
    status_code=204,
    dependencies=[public("the token from the letter is the credential")],
)
async def verify_email(request: Request, sent: EmailProof) -> None:
    """From now on this is the address of the account."""
    await account_letters.verify_email(_accounts(request), sent.token, address_of(request))


@router.post("/members/{member_id}/invitation-letter", status_code=204)
async def invite_again(request: Request, tenancy: CanAdminister, member_id: UUID) -> None:
    """Another letter, for who lost the first or let it expire."""
    await account_letters.invite_again(_accounts(request), tenancy, member_id)
