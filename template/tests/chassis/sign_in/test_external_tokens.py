"""Only a well-made, fresh access token of a trusted issuer says who somebody is."""

import base64
import hmac
import json
import time
from collections.abc import AsyncGenerator
from typing import Any
from uuid import uuid4

import pytest
from chassis.sign_in.authority import AUDIENCE, TENANT, claims, token, tokens_of
from chassis.sign_in.hostile import Hostile, hostile, new_key

from service.chassis.contract.external_tokens import ExternalTokens
from service.chassis.errors import Unauthenticated

CPU_SECONDS = 0.005


@pytest.fixture
async def authority() -> AsyncGenerator[Hostile]:
    async with hostile() as authority:
        yield authority


@pytest.fixture
async def tokens(authority: Hostile) -> AsyncGenerator[ExternalTokens]:
    """Already warm: the keys are in memory, and it is too early to ask for them again."""
    async with tokens_of(authority) as tokens:
        await tokens.claims(token(authority))
        yield tokens


async def refused(tokens: ExternalTokens, sent: str) -> None:
    with pytest.raises(Unauthenticated, match="The token is not valid, or no longer"):
        await tokens.claims(sent)


def unsigned(header: dict[str, Any], said: dict[str, Any], signature: str = "") -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()) for part in (header, said)]
    return ".".join([part.rstrip(b"=").decode() for part in parts] + [signature])


async def test_a_good_token_says_who_for_whom_and_what(
    authority: Hostile, tokens: ExternalTokens
) -> None:
    said = await tokens.claims(token(authority, auth_time=1_800_000_000))
    assert (said.issuer, said.subject) == (authority.issuer, "ana")
    assert (str(said.tenant_id), said.client_id) == (TENANT, "machine")
    assert said.scopes == {"notes:read", "notes:write"}
    assert said.auth_time == 1_800_000_000
    assert said.expires_at == pytest.approx(time.time() + 300, abs=3)


@pytest.mark.case("A-01")
@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", "", "none ", None, ["none"]])
async def test_a_token_without_a_signature_is_none(
    authority: Hostile, tokens: ExternalTokens, name: Any
) -> None:
    header = {"alg": name, "kid": "k1", "typ": "at+jwt"}
    await refused(tokens, unsigned(header, claims(authority)))
    await refused(tokens, unsigned(header, claims(authority), token(authority).split(".")[2]))


@pytest.mark.case("A-02")
@pytest.mark.parametrize(("algorithm", "digest"), [("HS256", "sha256"), ("HS512", "sha512")])
async def test_the_public_key_is_no_shared_secret(
    authority: Hostile, tokens: ExternalTokens, algorithm: str, digest: str
) -> None:
    key = authority.keys[0]
    numbers = json.dumps(key.as_dict(private=False)).encode()
    for public in (key.as_pem(private=False), key.as_der(private=False), numbers):
        forged = unsigned({"alg": algorithm, "kid": "k1", "typ": "at+jwt"}, claims(authority))
        mac = hmac.digest(public, forged[:-1].encode(), digest)
        await refused(tokens, forged + base64.urlsafe_b64encode(mac).decode().rstrip("="))


@pytest.mark.case("A-03")
@pytest.mark.parametrize("trick", ["jwk", "jku", "x5u", "x5c", "crit", "path", "sql", "url"])
async def test_a_token_cannot_bring_its_own_key(
    authority: Hostile, tokens: ExternalTokens, trick: str
) -> None:
    own = new_key("k1")
    async with hostile() as elsewhere:
        elsewhere.keys = [own]
        headers: dict[str, dict[str, Any]] = {
            "jwk": {"jwk": own.as_dict(private=False)},
            "jku": {"jku": f"{elsewhere.issuer}/jwks"},
            "x5u": {"x5u": f"{elsewhere.issuer}/certificate"},
            "x5c": {"x5c": ["bm8gY2VydGlmaWNhdGU="]},
            "crit": {"crit": ["kid"]},
            "path": {"kid": "../../../../dev/null"},
            "sql": {"kid": "k1' UNION SELECT 'secret"},
            "url": {"kid": f"{elsewhere.issuer}/jwks"},
        }
        header = headers[trick]
        asked = len(authority.asked)
        await refused(tokens, token(authority, header, own))
        # Even the right key does not save a header that says too much.
        if trick in ("jwk", "jku", "x5u", "x5c", "crit"):
            await refused(tokens, token(authority, header))
        assert (len(authority.asked), elsewhere.asked) == (asked, [])


@pytest.mark.case("A-04")
@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "urn:other"},
        {"aud": ["urn:other"]},
        {"aud": ["urn:other"], "azp": AUDIENCE},
        {"aud": AUDIENCE + "/"},
        {"iss": "https://elsewhere.example"},
        {"sub": ""},
        {"sub": 7},
        {"sub": "änne"},
        {"client_id": 7},
        {"client_id": "machine\n"},
        {"tenant_id": "acme"},
        {"tenant_id": 7},
        {"exp": "4000000000"},
        {"exp": float("nan")},
        *({name: None} for name in ("iss", "aud", "sub", "exp", "iat", "jti")),
        {"client_id": None},
        {"tenant_id": None},
    ],
    ids=str,
)
async def test_a_token_with_a_wrong_or_missing_claim_is_refused(
    authority: Hostile, tokens: ExternalTokens, changes: dict[str, Any]
) -> None:
    await refused(tokens, token(authority, **changes))


@pytest.mark.case("A-04")
@pytest.mark.parametrize("typ", [None, "JWT", "id+jwt", "rt+jwt", "logout+jwt", "at+jwt;x"])
async def test_another_kind_of_token_opens_nothing(
    authority: Hostile, tokens: ExternalTokens, typ: str | None
) -> None:
    await refused(tokens, token(authority, {"typ": typ}))
    assert await tokens.claims(token(authority, {"typ": "application/at+jwt"}))


@pytest.mark.case("A-04")
async def test_an_issuer_cannot_speak_for_another() -> None:
    async with hostile() as one, hostile() as other, tokens_of(one, other) as tokens:
        await tokens.claims(token(one))
        await tokens.claims(token(other))
        await refused(tokens, token(one, key=other.keys[0]))
        await refused(tokens, token(one, iss=other.issuer))


@pytest.mark.case("A-04")
async def test_an_issuer_of_one_tenant_cannot_speak_for_another_tenant(authority: Hostile) -> None:
    async with tokens_of(authority, tenant=TENANT) as tokens:
        for named in (TENANT, None):
            assert str((await tokens.claims(token(authority, tenant_id=named))).tenant_id) == TENANT
        await refused(tokens, token(authority, tenant_id=str(uuid4())))


@pytest.mark.case("A-05")
@pytest.mark.parametrize(
    ("claim", "direction"), [("exp", -1), ("nbf", 1), ("iat", 1)], ids=["exp", "nbf", "iat"]
)
async def test_clocks_may_differ_by_half_a_minute_and_no_more(
    authority: Hostile, tokens: ExternalTokens, claim: str, direction: int
) -> None:
    now = int(time.time())
    times = {"iat": now - 100, "exp": now + 300}
    near: dict[str, Any] = {**times, claim: now + direction * 27}
    far: dict[str, Any] = {**times, claim: now + direction * 33}
    assert await tokens.claims(token(authority, **near))
    await refused(tokens, token(authority, **far))


@pytest.mark.case("A-05")
@pytest.mark.parametrize("lifetime", [601, 86_400, 10**12, 10**400])
async def test_no_token_is_good_for_long(
    authority: Hostile, tokens: ExternalTokens, lifetime: int
) -> None:
    now = int(time.time())
    assert await tokens.claims(token(authority, iat=now, exp=now + 600))
    await refused(tokens, token(authority, iat=now, exp=now + lifetime))


async def cpu_seconds(tokens: ExternalTokens, sent: str) -> float:
    began = time.process_time()
    await refused(tokens, sent)
    return time.process_time() - began


@pytest.mark.case("A-06")
async def test_a_mutilated_token_is_refused_in_no_time(
    authority: Hostile, tokens: ExternalTokens
) -> None:
    good = token(authority)
    header, body, signature = good.split(".")
    nested = base64.urlsafe_b64encode(b"[" * 5_900).decode().rstrip("=")
    mutilated = [
        *("", ".", "..", "....", "é.é.é", "a" * 1_000_000, f"{good}{'A' * 1_000_000}"),
        *(f"{header}.{body}.", f"{header}.{body}", f"{header}..{signature}"),
        *(good[:length] for length in range(1, len(good) - 4, 23)),
        *(f"{header}.{nested}.{signature}", f"{nested}.{body}.{signature}"),
        *(f".{body}.{signature}", f"{header}.{body}.{signature[:-4]}AAAA"),
        *(f"{good}.{signature}", f" {good}"),
    ]
    for sent in mutilated:
        # The least of three: a machine with more to do makes the same work take longer.
        took = [await cpu_seconds(tokens, sent) for _ in range(3)]
        assert min(took) <= CPU_SECONDS, len(sent)
    assert await tokens.claims(good)
