"""What a provider says about the person who signed in, once all of it is verified."""

from dataclasses import dataclass
from typing import Any

from service.chassis.application.providers import Provider
from service.chassis.contract.foreign import (
    LEEWAY_SECONDS,
    Untrusted,
    claims_of,
    identifier,
    read,
    whole,
)
from service.chassis.errors import Forbidden
from service.chassis.identity import TenantId

LONGEST_TEXT = 320
TYPES = frozenset({"", "jwt"})


@dataclass(frozen=True)
class ExternalIdentity:
    """A verified person. Only (issuer, subject) identifies them; an e-mail address can move."""

    tenant_id: TenantId
    issuer: str
    subject: str
    email: str | None
    email_verified: bool
    name: str | None
    auth_time: int | None
    amr: tuple[str, ...]


async def id_claims(token: str, provider: Provider, *, nonce: str, since: int) -> dict[str, Any]:
    """The claims of an ID token that was made for us, for this sign-in, just now."""
    issuer = provider.issuer
    found = read(token, {issuer.algorithm})
    if found.typ not in TYPES:
        raise Untrusted("not an ID token")
    if found.issuer != issuer.url or (key := await issuer.key(found.kid)) is None:
        raise Untrusted("another issuer, or no such key")
    claims = claims_of(
        token,
        key,
        issuer.algorithm,
        iss={"essential": True, "value": issuer.url},
        nonce={"essential": True},
    )
    if claims["aud"] not in (provider.client_id, [provider.client_id]):
        raise Untrusted("for another audience, or not for us alone")
    if claims.get("azp", provider.client_id) != provider.client_id:
        raise Untrusted("another authorized party")
    if claims["nonce"] != nonce:
        raise Untrusted("another sign-in's nonce")
    if claims["iat"] < since - LEEWAY_SECONDS:
        raise Untrusted("older than this sign-in")
    return claims


def identity_of(
    claims: dict[str, Any], provider: Provider, tenant_id: TenantId
) -> ExternalIdentity:
    """`email_verified` must be the boolean true; a provider's word for it may be required."""
    verified = claims.get("email_verified") is True
    email = _text(claims.get("email"))
    if email and not verified and provider.verified_email_only:
        raise Forbidden("Your identity provider has not verified your e-mail address.")
    amr = claims.get("amr")
    return ExternalIdentity(
        tenant_id=tenant_id,
        issuer=provider.issuer.url,
        subject=identifier(claims["sub"]),
        email=email,
        email_verified=verified and email is not None,
        name=_text(claims.get("name")),
        auth_time=whole(claims.get("auth_time")),
        amr=tuple(filter(None, map(_text, amr[:10]))) if isinstance(amr, list) else (),
    )


def _text(value: Any) -> str | None:
    """Something that can be shown and stored, or nothing."""
    fits = isinstance(value, str) and 0 < len(value) <= LONGEST_TEXT and value.isprintable()
    return value if fits else None
