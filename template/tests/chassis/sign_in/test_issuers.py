"""An issuer's keys: replaced, out of reach, poisoned; asked for rarely, whoever is at the door."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx2
import pytest
from chassis.sign_in.authority import token, tokens_of
from chassis.sign_in.hostile import Hostile, hostile, new_key, shown
from joserfc.jwk import OctKey, RSAKey

from service.chassis.application.issuers import Issuers
from service.chassis.application.keeping import Patience, Refused
from service.chassis.application.key_sets import keys_for
from service.chassis.contract.external_tokens import ExternalTokens
from service.chassis.errors import Unauthenticated, Unavailable

QUICK = Patience(fresh_seconds=0.1, again_seconds=0.1, kept_seconds=1.2, answer_seconds=0.2)
CALM = Patience(again_seconds=1)


@pytest.fixture
async def authority() -> AsyncGenerator[Hostile]:
    async with hostile() as authority:
        yield authority


@pytest.fixture
async def tokens(authority: Hostile) -> AsyncGenerator[ExternalTokens]:
    async with tokens_of(authority, patience=QUICK) as tokens:
        await tokens.claims(token(authority))
        await asyncio.sleep(QUICK.again_seconds)
        yield tokens


@pytest.mark.case("A-07")
async def test_a_new_key_is_found_and_a_withdrawn_one_forgotten(
    authority: Hostile, tokens: ExternalTokens
) -> None:
    old, new = authority.keys[0], new_key("k2")
    authority.keys = [new]
    assert await tokens.claims(token(authority, {"kid": "k2"}))
    with pytest.raises(Unauthenticated):
        await tokens.claims(token(authority, key=old))


@pytest.mark.case("A-07")
async def test_keys_that_nobody_asks_for_are_refreshed_all_the_same(authority: Hostile) -> None:
    async with tokens_of(authority, patience=QUICK) as tokens:
        await tokens.claims(token(authority))
        issuer = next(iter(tokens._trusted.values()))[1]
        authority.keys = [new_key("k2")]
        await asyncio.sleep(QUICK.fresh_seconds)
        await issuer.refresh()
        assert issuer.known_key("k2") is not None
        assert issuer.known_key("k1") is None


class Crashing(httpx2.AsyncHTTPTransport):
    """Fails once as nobody foresaw."""

    crashed = False

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if not self.crashed:
            self.crashed = True
            raise RuntimeError("nobody foresaw this")
        return await super().handle_async_request(request)


async def test_a_refresh_that_crashes_is_not_the_last_one(authority: Hostile) -> None:
    issuers = Issuers(production=False, trusted=Crashing(), patience=QUICK)
    issuer = issuers.configured(authority.issuer, "ES256")
    refreshing = asyncio.create_task(issuers.keep_fresh())
    async with asyncio.timeout(10):
        while issuer.known_key("k1") is None:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert not refreshing.done()
    refreshing.cancel()
    await issuers.aclose()


@pytest.mark.case("A-07")
async def test_unknown_keys_cost_one_question_however_many_they_are(
    authority: Hostile,
) -> None:
    sent = [token(authority, {"kid": str(uuid4())}) for _ in range(200)]
    async with tokens_of(authority, patience=CALM) as tokens:
        await tokens.claims(token(authority))
        await asyncio.sleep(CALM.again_seconds)
        answers = await asyncio.gather(*map(tokens.claims, sent), return_exceptions=True)
        assert {type(answer) for answer in answers} == {Unauthenticated}
        assert authority.asked.count("/jwks") == 2


def down() -> Any:
    return shown({"error": "down"}, 503)


def slow() -> Any:
    return shown({}, after_seconds=2)


def elsewhere() -> Any:
    return 302, b"", 0


def oversized() -> Any:
    return shown({"keys": [], "padding": "x" * 100_000})


@pytest.mark.case("A-07")
@pytest.mark.parametrize("answer", [down, slow, elsewhere, oversized])
async def test_an_issuer_that_is_down_has_the_keys_that_it_had_but_not_for_ever(
    authority: Hostile, tokens: ExternalTokens, answer: Callable[[], Any]
) -> None:
    good = token(authority)
    authority.answers = dict.fromkeys(("/jwks", "/.well-known/openid-configuration"), answer)
    assert await tokens.claims(good)
    with pytest.raises(Unauthenticated):
        await tokens.claims(token(authority, {"kid": "k2"}))
    assert await tokens.claims(good)
    await asyncio.sleep(QUICK.kept_seconds)
    began = time.monotonic()
    with pytest.raises(Unavailable):
        await tokens.claims(good)
    assert time.monotonic() - began < 3 * QUICK.answer_seconds
    authority.answers = {}
    await asyncio.sleep(QUICK.again_seconds)
    assert await tokens.claims(good), "it came back"


@pytest.mark.case("A-07")
async def test_an_issuer_whose_port_is_closed_is_unavailable() -> None:
    async with hostile() as gone:
        pass
    async with tokens_of(gone, patience=QUICK) as tokens:
        with pytest.raises(Unavailable, match="cannot be reached right now"):
            await tokens.claims(token(gone))
    same = int(urlsplit(gone.issuer).port or 0)
    async with hostile(same) as back, tokens_of(back, patience=QUICK) as tokens:
        assert await tokens.claims(token(back))


GOOD = new_key("k1").as_dict(private=False)
ADDED = new_key("k2").as_dict(private=False)
WEAK = RSAKey.generate_key(2048, {"kid": "weak"}).as_dict(private=False)
POISONED = {
    "private": {"keys": [ADDED, new_key("k3").as_dict(private=True)]},
    "symmetric": {"keys": [ADDED, OctKey.generate_key(256, {"kid": "k3"}).as_dict(private=True)]},
    "hidden secret": {"keys": [ADDED, {**GOOD, "kid": "k3", "k": "c2VjcmV0"}]},
    "twice": {"keys": [ADDED, {**GOOD, "kid": "k2"}]},
    "weak": {"keys": [ADDED, {**WEAK, "n": str(WEAK["n"])[:170]}]},
    "huge": {"keys": [ADDED, {**WEAK, "n": str(WEAK["n"]) * 8}]},
    "many": {"keys": [{**ADDED, "kid": str(number)} for number in range(51)]},
    "no point": {"keys": [{**ADDED, "x": "AAAA"}]},
    "other uses": {"keys": [{**ADDED, "use": "enc"}, {**ADDED, "alg": "ES384"}]},
    "other curves": {"keys": [{**ADDED, "crv": "P-521"}]},
    "no kid": {"keys": [{name: ADDED[name] for name in ("kty", "crv", "x", "y")}]},
    "long kid": {"keys": [{**ADDED, "kid": "k" * 201}]},
    "empty": {"keys": []},
    "no keys": {},
    "no list": {"keys": "k2"},
    "no objects": {"keys": ["k2", 7]},
    "no set": [ADDED],
}


@pytest.mark.case("A-07")
@pytest.mark.parametrize("poison", POISONED.values(), ids=POISONED)
async def test_a_poisoned_key_set_is_refused_as_a_whole_and_the_last_good_one_kept(
    authority: Hostile, tokens: ExternalTokens, poison: Any
) -> None:
    authority.answers = {"/jwks": lambda: shown(poison)}
    with pytest.raises(Unauthenticated):
        await tokens.claims(token(authority, {"kid": "k2"}))
    assert authority.asked.count("/jwks") == 2, "it did ask"
    assert await tokens.claims(token(authority))


@pytest.mark.parametrize("document", [b"", b"\xff", b"[" * 60_000, b"null", b'{"keys": [null]}'])
def test_rubbish_is_no_key_set(document: bytes) -> None:
    with pytest.raises(Refused):
        keys_for("ES256", document)


def test_a_set_may_hold_keys_for_others_too() -> None:
    others = [{**ADDED, "kid": "k3", "use": "enc"}, {"kty": "AKP", "kid": "k4"}, WEAK]
    assert list(keys_for("ES256", json.dumps({"keys": [GOOD, *others]}).encode())) == ["k1"]


METADATA = {
    "another issuer": {"issuer": "https://elsewhere.example"},
    "plain http": {"token_endpoint": "http://provider.example/token"},
    "a file": {"jwks_uri": "file:///etc/passwd"},
    "no PKCE": {"code_challenge_methods_supported": ["plain"]},
    "no text": {"jwks_uri": 7},
    "no keys": {"jwks_uri": None},
}


@pytest.mark.case("A-07")
@pytest.mark.parametrize("changes", METADATA.values(), ids=METADATA)
async def test_metadata_that_cannot_be_trusted_are_not(
    authority: Hostile, changes: dict[str, Any]
) -> None:
    authority.metadata = changes
    async with tokens_of(authority, patience=QUICK) as tokens:
        with pytest.raises(Unavailable):
            await tokens.claims(token(authority))
        assert "/jwks" not in authority.asked
