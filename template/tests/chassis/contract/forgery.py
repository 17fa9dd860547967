"""Tokens as somebody would make them who knows the format, and who may have stolen a key."""

import hmac
import json
import time
from base64 import urlsafe_b64encode
from typing import Any
from uuid import uuid4

from joserfc import jws
from pydantic import SecretStr

from callers import KEY
from service.chassis.contract.access_tokens import (
    ALGORITHM,
    TYPE,
    AccessTokens,
    _signing_key,
    issuer,
)
from service.chassis.errors import Unauthenticated
from service.chassis.sections import IdentitySettings
from service.chassis.settings import about


def encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def unsigned(part: dict[str, Any]) -> str:
    return encoded(json.dumps(part).encode())


class Forger:
    """Signs whatever it is asked to, with the key of the service."""

    def __init__(self, secret: SecretStr) -> None:
        self.key = _signing_key(secret)
        self.header: dict[str, Any] = {"alg": ALGORITHM, "typ": TYPE, "kid": self.key.kid}
        self._signer = jws.JWSRegistry.algorithms[ALGORITHM]

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        names = ("sub", "sid", "tenant", "jti")
        own: dict[str, Any] = {name: str(uuid4()) for name in names}
        own |= {"iss": issuer(), "aud": about().name, "iat": now, "exp": now + 600}
        return own | changes

    def token(
        self,
        *,
        header: dict[str, Any] | None = None,
        without: str = "",
        without_header: str = "",
        **changes: Any,
    ) -> str:
        head, claims = self.header | (header or {}), self.claims(**changes)
        head.pop(without_header, None)
        claims.pop(without, None)
        signed = f"{unsigned(head)}.{unsigned(claims)}"
        return f"{signed}.{encoded(self._signer.sign(signed.encode(), self.key))}"

    def with_secret(self, alg: str, secret: bytes) -> str:
        signed = f"{unsigned(self.header | {'alg': alg})}.{unsigned(self.claims())}"
        digest = hmac.digest(secret, signed.encode(), alg.replace("HS", "sha"))
        return f"{signed}.{encoded(digest)}"


def _as_pem(forger: Forger) -> bytes:
    return forger.key.as_pem(private=False)


def _as_text(forger: Forger) -> bytes:
    return forger.key.as_pem(private=False).strip()


def _as_bytes(forger: Forger) -> bytes:
    return forger.key.as_der(private=False)


AS_PUBLISHED = [_as_pem, _as_text, _as_bytes]


SETTINGS = IdentitySettings(signing_key=SecretStr(KEY))
OTHER = SecretStr("fedcba9876543210" * 4)
TOKENS = AccessTokens(SETTINGS)
FORGER = Forger(SETTINGS.signing_key)


def refused(token: str, tokens: AccessTokens = TOKENS) -> bool:
    try:
        tokens.verify(token)
    except Unauthenticated:
        return True
    return False
