"""Bearer tokens become callers. For now only tokens that `make token` signs for development."""

import time
from collections import OrderedDict
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from service.chassis.errors import Unauthenticated
from service.chassis.identity import Caller, Role, TenantId
from service.chassis.settings import IdentitySettings, about

ISSUER = "urn:development"
ALGORITHM = "HS256"
TYPE = "at+jwt"
LIFETIME_SECONDS = 600
REMEMBERED = 10_000
REMEMBERED_SECONDS = 60

CLAIMS = jwt.JWTClaimsRegistry(
    iss={"essential": True, "value": ISSUER},
    aud={"essential": True, "value": about().name},
    sub={"essential": True},
    exp={"essential": True},
    tenant={"essential": True},
    role={"essential": True, "values": [role.value for role in Role]},
)


def sign_development_token(key: str, caller: Caller) -> str:
    claims = {
        "iss": ISSUER,
        "aud": about().name,
        "sub": caller.subject,
        "tenant": str(caller.tenant_id),
        "role": caller.role.value,
        "exp": int(time.time()) + LIFETIME_SECONDS,
    }
    header = {"alg": ALGORITHM, "typ": TYPE}
    return jwt.encode(header, claims, OctKey.import_key(key), algorithms=[ALGORITHM])


class TokenVerifier:
    """Verifies a token once and remembers it for a minute, never past its expiry."""

    def __init__(self, settings: IdentitySettings) -> None:
        key = settings.development_key
        self._key = OctKey.import_key(key.get_secret_value()) if key else None
        self._remembered: OrderedDict[str, tuple[float, Caller]] = OrderedDict()

    def caller(self, token: str) -> Caller:
        until, caller = self._remembered.get(token, (0.0, None))
        if caller is None or until <= time.time():
            until, caller = self._verified(token)
            self._remember(token, until, caller)
        return caller

    def _remember(self, token: str, until: float, caller: Caller) -> None:
        self._remembered[token] = (min(until, time.time() + REMEMBERED_SECONDS), caller)
        self._remembered.move_to_end(token)
        if len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)

    def _verified(self, token: str) -> tuple[float, Caller]:
        if self._key is None:
            raise Unauthenticated("This service has no way to sign in yet.")
        try:
            claims = _claims(token, self._key)
            caller = Caller(claims["sub"], TenantId(UUID(claims["tenant"])), Role(claims["role"]))
            return float(claims["exp"]), caller
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise Unauthenticated("The token is not valid, or no longer.") from error


def _claims(token: str, key: OctKey) -> dict[str, Any]:
    decoded = jwt.decode(token, key, algorithms=[ALGORITHM])
    if decoded.header.get("typ") != TYPE:
        raise ValueError("not an access token")
    CLAIMS.validate(decoded.claims)
    return decoded.claims
