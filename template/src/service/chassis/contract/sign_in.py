"""Sign-in at an identity provider: there with a question of our own, back with a verified person.

Authorization code with PKCE. Each provider has a callback address of its own and must name
itself there if it ever does (RFC 9207), so that no provider can pass off another's answer.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict

from service.chassis.application.audit import STRANGER, Actor
from service.chassis.application.denials import Denials
from service.chassis.application.issuers import Metadata
from service.chassis.application.joining import Joining, ProvenIdentity
from service.chassis.application.providers import Provider, Providers
from service.chassis.contract.cookies import show_in_cookies
from service.chassis.contract.exchange import client, identify
from service.chassis.contract.foreign import Untrusted
from service.chassis.contract.guards import address_of, public
from service.chassis.contract.identities import ExternalIdentity
from service.chassis.contract.under_way import AGAIN, Attempts, forget, new_attempt
from service.chassis.errors import Forbidden, Malformed, NotFound, SignInFailed, Unavailable
from service.chassis.identity import TenantId
from service.chassis.telemetry.logs import log

SignedIn = Callable[[Request, ExternalIdentity], Awaitable[Response]]
NOT_VALID = "The identity provider's answer was not valid. Please start again."
# What a provider may say instead of a code. Never its own words: anyone can write them.
DENIED = frozenset({"access_denied", "consent_required", "interaction_required", "login_required"})
DOWN = frozenset({"temporarily_unavailable", "server_error"})
# A provider's name, or the id of one that a tenant added.
Name = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,36}$")]
LONGEST = {"code": 4_096, "state": 256, "iss": 512, "error": 100}


class Said(BaseModel):
    """Providers add parameters of their own to the way back; what counts is read by name."""

    model_config = ConfigDict(extra="ignore")


@dataclass(frozen=True)
class SignIn:
    """What the routes work with; `attempts` is None where sealing is not configured."""

    providers: Providers
    attempts: Attempts | None
    public_url: str

    def sealed(self) -> Attempts:
        if self.attempts is None:
            raise NotFound("There is no such identity provider.")
        return self.attempts

    def callback(self, provider: Provider) -> str:
        return f"{self.public_url}/v1/sign-in/callback/{provider.key}"


async def join(request: Request, identity: ExternalIdentity) -> Response:
    """A session for the member behind the identity, in cookies of the browser."""
    joining: Joining = request.state.joining
    proven = ProvenIdentity(
        identity.tenant_id,
        identity.issuer,
        identity.subject,
        identity.email if identity.email_verified else None,
        " ".join(("oidc", *identity.amr)),
        identity.auth_time,
    )
    granted = await joining.sign_in(proven, address_of(request))
    response = RedirectResponse("/", status_code=303)
    show_in_cookies(request, response, granted)
    return response


def sign_in_router(signed_in: SignedIn) -> APIRouter:
    """`signed_in` answers the browser once a person is verified: sessions begin there."""
    router = APIRouter(
        prefix="/sign-in",
        tags=["sign-in"],
        dependencies=[public("nobody is signed in before signing in")],
    )

    @router.get("/callback/{key}", status_code=303, response_class=RedirectResponse)
    async def come_back(request: Request, key: Name, _said: Annotated[Said, Query()]) -> Response:
        """The provider sends the browser here."""
        identity = await _returned(request, key)
        response = await signed_in(request, identity)
        forget(response)
        return response

    # `:uuid`, because `/sign-in/passkey/begin` is the address of something else.
    @router.get("/{tenant_id:uuid}/{provider}", status_code=303, response_class=RedirectResponse)
    async def begin(request: Request, tenant_id: UUID, provider: Name) -> Response:
        """To the provider, with a state, a nonce and a challenge that only this browser has."""
        return await _sent_away(request.state.sign_in, TenantId(tenant_id), provider)

    return router


async def _sent_away(sign_in: SignIn, tenant_id: TenantId, name: str) -> Response:
    attempts = sign_in.sealed()
    provider = await sign_in.providers.find(tenant_id, name)
    metadata = await provider.issuer.metadata()
    attempt = new_attempt(tenant_id, name, provider.key)
    oauth = client(provider, metadata, sign_in.callback(provider))
    address, _ = oauth.create_authorization_url(
        metadata.authorization_endpoint,
        state=attempt.state,
        nonce=attempt.nonce,
        code_verifier=attempt.verifier,
    )
    response = RedirectResponse(address, status_code=303)
    attempts.give(response, attempt)
    return response


async def _returned(request: Request, key: str) -> ExternalIdentity:
    sign_in: SignIn = request.state.sign_in
    answer = _answer(request)
    attempt = await sign_in.sealed().take(request, key, answer.get("state", ""))
    provider = await sign_in.providers.find(attempt.tenant_id, attempt.provider)
    if provider.key != key:
        raise SignInFailed(AGAIN)
    try:
        _refuse_mix_up(answer, await provider.issuer.metadata())
        _refuse_errors(answer)
        return await identify(provider, attempt, answer["code"], sign_in.callback(provider))
    except (Untrusted, Forbidden) as error:
        log("sign_in_refused", issuer=provider.issuer.url, why=str(error))
        denials: Denials = request.state.denials
        stranger, what = Actor(STRANGER, address_of(request)), f"oidc {attempt.provider}"
        await denials.record(attempt.tenant_id, stranger, "sign_in.failed", detail=what)
        if isinstance(error, Forbidden):
            raise
        raise SignInFailed(NOT_VALID) from error


def _answer(request: Request) -> dict[str, str]:
    """Each parameter once and of bounded length; those that we do not know are not read."""
    answer: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in LONGEST and (name in answer or len(value) > LONGEST[name]):
            raise Malformed(f"The parameter {name} is there twice, or too long.")
        answer[name] = value
    return answer


def _refuse_mix_up(answer: dict[str, str], metadata: Metadata) -> None:
    silent = None if metadata.authorization_response_iss_parameter_supported else metadata.issuer
    if answer.get("iss", silent) != metadata.issuer:
        raise Untrusted("the answer is another issuer's")


def _refuse_errors(answer: dict[str, str]) -> None:
    error = answer.get("error")
    if error in DENIED:
        raise Forbidden("The sign-in was declined at the identity provider.")
    if error in DOWN:
        raise Unavailable("The identity provider cannot sign anyone in right now.")
    if error is not None or not answer.get("code"):
        raise Untrusted("no code")
