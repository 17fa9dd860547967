"""Access tokens of this service: RFC 9068, ten minutes at most, one algorithm, our key only."""

import time
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey
from pydantic import SecretStr

from service.chassis.application.sessions import Granted
from service.chassis.errors import Unauthenticated
from service.chassis.identity import MemberId, SessionId, TenantId
from service.chassis.sections import IdentitySettings
from service.chassis.settings import about

ALGORITHM, TYPE = "Ed25519", "at+jwt"
HEADER = frozenset({"alg", "typ", "kid"})
LONGEST = 4096
LEEWAY_SECONDS = 10
REFUSED = "The token is not valid, or no longer."


@dataclass(frozen=True)
class Verified:
    """Whose token it is, and until when. What they may do, only the database says."""

    tenant_id: TenantId
    member_id: MemberId
    session_id: SessionId
    expires: float


def issuer() -> str:
    return f"urn:service:{about().name}"


class AccessTokens:
    def __init__(self, settings: IdentitySettings) -> None:
        self.lifetime = settings.access_token_seconds
        self._key = _signing_key(settings.signing_key)
        previous = settings.previous_signing_key
        keys = [self._key, *([_signing_key(previous)] if previous else [])]
        self._keys = KeySet([*keys])
        self._claims = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": issuer()},
            aud={"essential": True, "value": about().name},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            jti={"essential": True},
            sid={"essential": True},
            tenant={"essential": True},
        )

    def sign(self, granted: Granted) -> str:
        now = int(time.time())
        claims = {
            "iss": issuer(),
            "aud": about().name,
            "client_id": about().name,
            "sub": str(granted.member_id),
            "sid": str(granted.session_id),
            "tenant": str(granted.tenant_id),
            "auth_time": int(granted.authenticated_at.timestamp()),
            "jti": uuid4().hex,
            "iat": now,
            "exp": now + self.lifetime,
        }
        header = {"alg": ALGORITHM, "typ": TYPE, "kid": self._key.kid}
        return jwt.encode(header, claims, self._key, algorithms=[ALGORITHM])

    def verify(self, token: str) -> Verified:
        if len(token) > LONGEST:
            raise Unauthenticated(REFUSED)
        try:
            return self._verified(self._decoded(token))
        except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise Unauthenticated(REFUSED) from error

    def _decoded(self, token: str) -> dict[str, Any]:
        decoded = jwt.decode(token, self._keys, algorithms=[ALGORITHM])
        # Anything else in the header asks us to look for a key or a meaning elsewhere.
        if set(decoded.header) != HEADER or decoded.header["typ"] != TYPE:
            raise ValueError("not an access token of ours")
        self._claims.validate(decoded.claims)
        return decoded.claims

    def _verified(self, claims: dict[str, Any]) -> Verified:
        if claims["exp"] - claims["iat"] > self.lifetime:
            raise ValueError("lives longer than we let tokens live")
        return Verified(
            TenantId(UUID(claims["tenant"])),
            MemberId(UUID(claims["sub"])),
            SessionId(UUID(claims["sid"])),
            float(claims["exp"]),
        )


def _signing_key(secret: SecretStr) -> OKPKey:
    """Every string is a good seed, so that `openssl rand -hex 32` makes a signing key, too."""
    seed = sha256(b"access tokens" + secret.get_secret_value().encode()).digest()
    private = Ed25519PrivateKey.from_private_bytes(seed)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    key = OKPKey.import_key(pem, {"alg": ALGORITHM, "use": "sig"})
    key.ensure_kid()
    return key
