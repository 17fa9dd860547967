"""Access tokens of issuers that the operator trusts (RFC 9068), verified from memory."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from joserfc.jwk import Key

from service.chassis.application.issuers import Issuers
from service.chassis.contract.foreign import (
    Untrusted,
    Unverified,
    claims_of,
    identifier,
    read,
    whole,
)
from service.chassis.errors import Unauthenticated
from service.chassis.identity import TenantId
from service.chassis.telemetry.logs import log
from service.chassis.trust import TrustedIssuer

TYPES = frozenset({"at+jwt", "application/at+jwt"})
INVALID = "The token is not valid, or no longer."


@dataclass(frozen=True)
class ExternalClaims:
    """What a verified token says. It names a person; what they may do is decided here."""

    issuer: str
    subject: str
    client_id: str
    tenant_id: TenantId
    scopes: frozenset[str]
    auth_time: int | None
    expires_at: float


class ExternalTokens:
    """`claims()` for every request; it waits for the network only when a new key shows up."""

    def __init__(self, trusted: Iterable[TrustedIssuer], issuers: Issuers) -> None:
        self._trusted = {
            one.issuer: (one, issuers.configured(one.issuer, one.algorithm)) for one in trusted
        }
        self._algorithms = {one.algorithm for one, _ in self._trusted.values()}

    def trusts_issuer_of(self, token: str) -> bool:
        """Nothing is verified yet: this only says who is to verify it."""
        if not self._trusted:
            return False
        try:
            return read(token, self._algorithms).issuer in self._trusted
        except Untrusted:
            return False

    async def claims(self, token: str) -> ExternalClaims:
        try:
            found = self._read(token)
            trusted, issuer = self._trusted[found.issuer]
            key = await issuer.key(found.kid)
            return _verified(found, key, trusted)
        except Untrusted as error:
            log("external_token_refused", why=str(error))
            raise Unauthenticated(INVALID) from error

    def _read(self, token: str) -> Unverified:
        found = read(token, self._algorithms)
        if found.typ not in TYPES:
            raise Untrusted("not an access token")
        if found.issuer not in self._trusted:
            raise Untrusted("an issuer nobody trusts")
        return found


def _verified(found: Unverified, key: Key | None, trusted: TrustedIssuer) -> ExternalClaims:
    if key is None:
        raise Untrusted("no such key")
    claims = claims_of(
        found.token,
        key,
        trusted.algorithm,
        iss={"essential": True, "value": trusted.issuer},
        aud={"essential": True, "value": trusted.audience},
        client_id={"essential": True},
        jti={"essential": True},
    )
    if claims["exp"] - claims["iat"] > trusted.longest_seconds:
        raise Untrusted("valid for too long")
    return ExternalClaims(
        issuer=trusted.issuer,
        subject=identifier(claims["sub"]),
        client_id=identifier(claims["client_id"]),
        tenant_id=_tenant(claims, trusted),
        scopes=frozenset(str(claims.get("scope", "")).split()),
        auth_time=whole(claims.get("auth_time")),
        expires_at=float(claims["exp"]),
    )


def _tenant(claims: dict[str, Any], trusted: TrustedIssuer) -> TenantId:
    """An issuer of one tenant cannot speak for another."""
    said = claims.get(trusted.tenant_claim)
    try:
        tenant = trusted.tenant if said is None else UUID(said)
    except (ValueError, TypeError, AttributeError) as error:
        raise Untrusted("a tenant that is no id") from error
    if tenant is None or trusted.tenant not in (None, tenant):
        raise Untrusted("no tenant, or one that is not this issuer's")
    return TenantId(tenant)
