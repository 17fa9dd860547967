"""Public keys as an issuer publishes them. One rotten key spoils the whole set."""

import json
from collections.abc import Mapping
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key

from service.chassis.application.keeping import Refused

Keys = Mapping[str, Key]
MOST_KEYS = 50
# What never belongs into a public set: private parts, and secrets shared with everyone.
PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
SHAPES = {
    "RS256": {"kty": "RSA"},
    "PS256": {"kty": "RSA"},
    "ES256": {"kty": "EC", "crv": "P-256"},
    "Ed25519": {"kty": "OKP", "crv": "Ed25519"},
}
# In base64: 2048 to 4096 bits. A weaker key can be broken, a longer one costs us the time.
RSA_MODULUS = range(342, 684)
LONGEST_KID = 200


def keys_for(algorithm: str, document: bytes) -> Keys:
    """Those that may verify this algorithm, by `kid`; `Refused` if the set cannot be trusted."""
    try:
        published = json.loads(document)["keys"]
        usable = [key for key in _sound(published) if _is_for(algorithm, key)]
        keys = {key["kid"]: JWKRegistry.import_key(_public(key, algorithm)) for key in usable}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, JoseError) as error:
        raise Refused(f"no key set: {type(error).__name__}") from error
    if len(keys) < len(usable):
        raise Refused("two keys share one kid")
    if not keys:
        raise Refused(f"no key for {algorithm}")
    return keys


def _sound(published: Any) -> list[dict[str, Any]]:
    if not isinstance(published, list) or len(published) > MOST_KEYS:
        raise Refused("not a list of a few keys")
    for key in published:
        if PRIVATE & key.keys() or key["kty"] == "oct":
            raise Refused("a private or a shared key is published")
        if key["kty"] == "RSA" and len(key["n"]) not in RSA_MODULUS:
            raise Refused("an RSA key of an unfit length")
    return published


def _is_for(algorithm: str, key: Mapping[str, Any]) -> bool:
    kid = key.get("kid")
    return (
        isinstance(kid, str)
        and 0 < len(kid) <= LONGEST_KID
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and all(key.get(name) == value for name, value in SHAPES[algorithm].items())
    )


def _public(key: Mapping[str, Any], algorithm: str) -> dict[str, Any]:
    """Only the numbers; `x5u` and the like stay behind."""
    numbers = {name: key[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in key}
    return {**numbers, "kid": key["kid"], "alg": algorithm, "use": "sig"}
