"""Only a fresh, well-made token of this service opens a door."""

import time
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from pydantic import SecretStr

from callers import KEY
from service.chassis.contract import sign_in
from service.chassis.contract.sign_in import TokenVerifier, sign_development_token
from service.chassis.errors import Unauthenticated
from service.chassis.identity import Caller, Role, TenantId
from service.chassis.settings import IdentitySettings, about

CALLER = Caller("ana", TenantId(uuid4()), Role.EDITOR)


def verifier(key: str | None = KEY) -> TokenVerifier:
    return TokenVerifier(IdentitySettings(development_key=SecretStr(key) if key else None))


def token(header: dict[str, str] | None = None, key: str = KEY, **changes: Any) -> str:
    claims = {
        "iss": sign_in.ISSUER,
        "aud": about().name,
        "sub": "ana",
        "tenant": str(CALLER.tenant_id),
        "role": "editor",
        "exp": int(time.time()) + 60,
    }
    kept = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    return jwt.encode(
        {"alg": "HS256", "typ": "at+jwt", **(header or {})},
        kept,
        OctKey.import_key(key),
        algorithms=["HS256", "HS512"],
    )


def test_a_token_says_who_for_whom_and_as_what() -> None:
    assert verifier().caller(sign_development_token(KEY, CALLER)) == CALLER
    assert verifier().caller(token()) == CALLER


@pytest.mark.parametrize(
    "refused",
    [
        pytest.param(token(exp=int(time.time()) - 1), id="expired"),
        pytest.param(token(exp=None), id="without an expiry"),
        pytest.param(token(iss="urn:other"), id="another issuer"),
        pytest.param(token(aud="another-service"), id="another audience"),
        pytest.param(token(aud=None), id="no audience"),
        pytest.param(token(tenant=None), id="no tenant"),
        pytest.param(token(tenant="acme"), id="a tenant that is no id"),
        pytest.param(token(role="god"), id="an unknown role"),
        pytest.param(token(sub=None), id="nobody"),
        pytest.param(token(key="f" * 31 + "0123456789abcdef" * 3), id="another key"),
        pytest.param(token({"typ": "JWT"}), id="another kind of token"),
        pytest.param(token({"alg": "HS512"}), id="another algorithm"),
        pytest.param(token()[:-2] + "AA", id="a changed signature"),
        pytest.param("eyJhbGciOiJub25lIn0.e30.", id="no signature"),
        pytest.param("a.b", id="no token at all"),
        pytest.param("", id="nothing"),
        pytest.param("x" * 100_000, id="a very long one"),
    ],
)
def test_anything_else_is_refused(refused: str) -> None:
    with pytest.raises(Unauthenticated):
        verifier().caller(refused)


def test_without_a_key_nobody_signs_in() -> None:
    with pytest.raises(Unauthenticated):
        verifier(None).caller(token())


def test_a_remembered_token_is_forgotten_when_it_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    remembering, sent = verifier(), token()
    remembering.caller(sent)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 120)
    with pytest.raises(Unauthenticated):
        remembering.caller(sent)


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in, "REMEMBERED", 3)
    remembering = verifier()
    for number in range(10):
        remembering.caller(token(sub=f"user-{number}"))
    assert len(remembering._remembered) == 3
