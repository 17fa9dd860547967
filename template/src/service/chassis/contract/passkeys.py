"""Passkeys, on the wire; bodies and answers are what browsers make and take as JSON."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import Field

from service.chassis.application import passkey_ceremonies as ceremonies
from service.chassis.application.tenancy import Tenancy
from service.chassis.contract.guards import address_of, allow, public
from service.chassis.contract.limits import limiter
from service.chassis.contract.sessions import Tokens, tokens_of
from service.chassis.contract.shapes import Accepted, Shown, StorableText, TenantNamed
from service.chassis.identity import Action, TenantId

CanUse = Annotated[Tenancy, allow("account", Action.READ)]
Part = Annotated[StorableText, Field(max_length=20_000, examples=["AAECAwQFBgc"])]

router = APIRouter(tags=["passkeys"])


class Credential(Accepted):
    """`PublicKeyCredential.toJSON()`; the parts that prove nothing may be left out."""

    id: Part
    rawId: Part  # noqa: N815  the browser's name
    type: Part
    response: Annotated[dict[str, Any], Field(examples=[{"clientDataJSON": "e30"}])]
    authenticatorAttachment: Part | None = None  # noqa: N815
    clientExtensionResults: dict[str, Any] = Field(default_factory=dict)  # noqa: N815


class Registration(Accepted):
    name: Annotated[StorableText, Field(min_length=1, max_length=100, examples=["My phone"])]
    credential: Credential


class Beginning(Accepted):
    tenant: TenantNamed


class PasskeySignIn(Accepted):
    tenant: TenantNamed
    credential: Credential


class PasskeyView(Shown):
    id: UUID
    name: str
    created_at: datetime
    used_at: datetime | None


@router.post("/account/passkeys/begin")
async def begin_registration(request: Request, tenancy: CanUse) -> dict[str, Any]:
    """For `navigator.credentials.create`; needs a fresh sign-in."""
    return await ceremonies.begin_registration(request.state.accounts, tenancy)


@router.post("/account/passkeys", status_code=201)
async def finish_registration(request: Request, tenancy: CanUse, sent: Registration) -> PasskeyView:
    credential = sent.credential.model_dump()
    accounts = request.state.accounts
    added = await ceremonies.finish_registration(accounts, tenancy, sent.name, credential)
    return PasskeyView.model_validate(added)


@router.get("/account/passkeys")
async def list_passkeys(tenancy: CanUse) -> list[PasskeyView]:
    """One's own."""
    return [PasskeyView.model_validate(row) for row in await ceremonies.list_passkeys(tenancy)]


# `:uuid`, because `/account/passkeys/begin` is the address of something else.
@router.delete("/account/passkeys/{passkey_id:uuid}", status_code=204)
async def remove_passkey(tenancy: CanUse, passkey_id: UUID) -> None:
    await ceremonies.remove_passkey(tenancy, passkey_id)


@router.post("/sign-in/passkey/begin", dependencies=[public("nobody is signed in yet")])
# By address, and before the tenant is looked up: a count of a tenant's own tells that it is there.
@limiter.limit("60/minute")
async def begin_sign_in(request: Request, sent: Beginning) -> dict[str, Any]:
    """For `navigator.credentials.get`."""
    return await ceremonies.begin_sign_in(request.state.accounts, TenantId(sent.tenant))


@router.post("/sign-in/passkey", dependencies=[public("the passkey is the credential")])
async def finish_sign_in(request: Request, sent: PasskeySignIn) -> Tokens:
    tenant, credential = TenantId(sent.tenant), sent.credential.model_dump()
    accounts, address = request.state.accounts, address_of(request)
    return tokens_of(
        request, await ceremonies.finish_sign_in(accounts, tenant, credential, address)
    )
