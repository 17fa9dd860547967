"""The two calls of a sign-in to the provider: code for tokens, and who the person is."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
from authlib.integrations.base_client import OAuthError  # type: ignore[import-untyped]
from authlib.integrations.httpx_client import AsyncOAuth2Client  # type: ignore[import-untyped]

from service.chassis.application.issuers import Metadata
from service.chassis.application.providers import Provider
from service.chassis.contract.foreign import Untrusted
from service.chassis.contract.identities import ExternalIdentity, id_claims, identity_of
from service.chassis.contract.under_way import Attempt
from service.chassis.errors import Unavailable

SCOPE = "openid profile email"
# What the ID token may leave to the userinfo endpoint.
ABOUT = ("email", "email_verified", "name")


def client(provider: Provider, metadata: Metadata, redirect_uri: str) -> AsyncOAuth2Client:
    """Not to be closed: the transport is the issuer's, and others use it too."""
    if not (metadata.authorization_endpoint and metadata.token_endpoint):
        raise Unavailable("This identity provider cannot sign anyone in.")
    ways = metadata.token_endpoint_auth_methods_supported
    basic = "client_secret_basic" in ways or "client_secret_post" not in ways
    return AsyncOAuth2Client(
        client_id=provider.client_id,
        client_secret=provider.client_secret,
        scope=SCOPE,
        redirect_uri=redirect_uri,
        token_endpoint_auth_method="client_secret_basic" if basic else "client_secret_post",
        code_challenge_method="S256",
        transport=provider.issuer.transport,
        follow_redirects=False,
        # No proxy or certificate of the environment gets between us and the provider.
        trust_env=False,
    )


async def identify(
    provider: Provider, attempt: Attempt, code: str, redirect_uri: str
) -> ExternalIdentity:
    metadata = await provider.issuer.metadata()
    oauth = client(provider, metadata, redirect_uri)
    with _what_may_go_wrong():
        tokens = await oauth.fetch_token(
            metadata.token_endpoint,
            grant_type="authorization_code",
            code=code,
            code_verifier=attempt.verifier,
        )
        id_token, access_token = str(tokens.get("id_token")), str(tokens.get("access_token"))
    claims = await id_claims(id_token, provider, nonce=attempt.nonce, since=attempt.began)
    if "email" not in claims and metadata.userinfo_endpoint:
        with _what_may_go_wrong():
            about = await _about(oauth, metadata.userinfo_endpoint, access_token)
        if about.get("sub") != claims["sub"]:
            # The access token is not bound to the ID token.
            raise Untrusted("the userinfo endpoint speaks of somebody else")
        claims = {**{name: about[name] for name in ABOUT if name in about}, **claims}
    return identity_of(claims, provider, attempt.tenant_id)


async def _about(oauth: AsyncOAuth2Client, address: str, access_token: str) -> dict[str, Any]:
    bearer = {"authorization": f"Bearer {access_token}"}
    response = await oauth.request("GET", address, withhold_token=True, headers=bearer)
    said = response.raise_for_status().json()
    if not isinstance(said, dict):
        raise Untrusted("the userinfo endpoint says nothing about anyone")
    return said


@contextmanager
def _what_may_go_wrong() -> Iterator[None]:
    """In a call to the provider: it is down, it refuses, or it answers nonsense."""
    try:
        yield
    except httpx2.HTTPError as error:
        raise Unavailable("The identity provider did not answer as it should.") from error
    except (OAuthError, AttributeError, ValueError, TypeError, RecursionError) as error:
        raise Untrusted(f"no tokens: {type(error).__name__}") from error
