"""Tokens that somebody else signed. Nothing in one is believed before its signature is.

Only the issuer's published keys count: whatever a token's header says about keys is refused.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key
from joserfc.jwt import ClaimsOption
from joserfc.util import json_b64decode

LONGEST = 8_192
LONGEST_NAME = 255
LEEWAY_SECONDS = 30
HEADER = frozenset({"alg", "kid", "typ", "x5t", "x5t#S256"})
ALWAYS = ("iss", "sub", "aud", "exp", "iat")
UNREADABLE = (JoseError, ValueError, TypeError, KeyError, RecursionError)


class Untrusted(Exception):
    """The reason is for operators; a caller is only told that the token is not valid."""


@dataclass(frozen=True)
class Unverified:
    """What a token claims about itself: enough to choose the key, and no more."""

    token: str
    kid: str
    typ: str
    issuer: str


def read(token: str, algorithms: Collection[str]) -> Unverified:
    if len(token) > LONGEST:
        raise Untrusted("too long")
    try:
        first, second, _ = token.encode("ascii").split(b".")
        header, claims = json_b64decode(first), json_b64decode(second)
        algorithm, kid, issuer = header["alg"], header["kid"], claims["iss"]
    except UNREADABLE as error:
        raise Untrusted("not a token") from error
    if header.keys() - HEADER:
        raise Untrusted("a header that says too much")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise Untrusted("another algorithm")
    if not isinstance(kid, str) or not isinstance(issuer, str):
        raise Untrusted("no key or no issuer is named")
    return Unverified(token, kid, str(header.get("typ", "")).lower(), issuer)


def claims_of(token: str, key: Key, algorithm: str, **expected: ClaimsOption) -> dict[str, Any]:
    """The signature first, then what is expected, and what no token of any kind may lack."""
    required: dict[str, ClaimsOption] = {name: {"essential": True} for name in ALWAYS}
    registry = jwt.JWTClaimsRegistry(None, LEEWAY_SECONDS, **(required | expected))
    try:
        claims = jwt.decode(token, key, algorithms=[algorithm]).claims
        registry.validate(claims)
    except UNREADABLE as error:
        raise Untrusted(f"{type(error).__name__}: {error}") from error
    return claims


def identifier(value: Any) -> str:
    """A name that can be stored, compared and shown; OpenID says 255 of ASCII."""
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_NAME:
        raise Untrusted("an identifier of an unfit length")
    if not (value.isascii() and value.isprintable()):
        raise Untrusted("an identifier with unfit characters")
    return value


def whole(value: Any) -> int | None:
    """A claim that should be a number of seconds, if it is one."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
