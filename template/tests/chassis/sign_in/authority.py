"""Access tokens of an external issuer, made right or wrong on purpose."""

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from chassis.sign_in.hostile import Hostile
from joserfc import jwt
from joserfc.jwk import Key

from service.chassis.application.issuers import Issuers
from service.chassis.application.keeping import Patience
from service.chassis.contract.external_tokens import ExternalTokens
from service.chassis.trust import TrustedIssuer

TENANT = "6d0c4d1e-7a55-4a53-9d3c-2f6a8a1f0b11"
AUDIENCE = "urn:service"


@asynccontextmanager
async def tokens_of(
    *authorities: Hostile, patience: Patience | None = None, **trusted: Any
) -> AsyncGenerator[ExternalTokens]:
    issuers = Issuers(production=False, patience=patience or Patience())
    given = {"audience": AUDIENCE, "algorithm": "ES256", **trusted}
    yield ExternalTokens([TrustedIssuer(issuer=a.issuer, **given) for a in authorities], issuers)
    await issuers.aclose()


def claims(authority: Hostile, **changes: Any) -> dict[str, Any]:
    now = int(time.time())
    honest = {
        "iss": authority.issuer,
        "aud": AUDIENCE,
        "sub": "ana",
        "client_id": "machine",
        "jti": "one",
        "iat": now,
        "exp": now + 300,
        "scope": "notes:read notes:write",
        "tenant_id": TENANT,
        **changes,
    }
    return {name: value for name, value in honest.items() if value is not None}


def token(
    authority: Hostile, header: dict[str, Any] | None = None, key: Key | None = None, **changes: Any
) -> str:
    head = {"alg": "ES256", "kid": "k1", "typ": "at+jwt", **(header or {})}
    said = {name: value for name, value in head.items() if value is not None}
    signing = key or authority.keys[0]
    return jwt.encode(said, claims(authority, **changes), signing, [head["alg"]], default_type=None)
