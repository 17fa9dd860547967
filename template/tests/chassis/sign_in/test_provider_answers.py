"""Whatever a provider answers: a verified person, or a typed problem in our own words."""

import time
from typing import Any

import httpx2
import pytest
from chassis.sign_in.browser import WORDS, Browser, failed
from chassis.sign_in.hostile import Hostile, new_key, shown

from service.chassis.identity import TenantId


async def test_an_honest_answer_is_believed(victim: Browser, good: Hostile, acme: TenantId) -> None:
    good.claims = {"amr": ["pwd", "otp"], "auth_time": 1_800_000_000, "name": "Mallory"}
    response = await victim.come_back(good.approve(await victim.address(acme, "good")))
    assert response.status_code == 200, response.text
    said = response.json()
    assert (said["subject"], said["amr"]) == ("mallory", ["pwd", "otp"])
    assert (said["auth_time"], said["name"]) == (1_800_000_000, "Mallory")
    assert said["tenant_id"] == str(acme)
    assert set(good.bodies[0]) == {"grant_type", "code", "redirect_uri", "code_verifier"}


PAST = int(time.time()) - 1_000
ID_TOKENS: list[dict[str, Any]] = [
    {"aud": "other"},
    {"aud": ["other"], "azp": "service"},
    {"aud": ["service", "other"]},
    {"aud": ["service", "other"], "azp": "service"},
    {"azp": "other"},
    {"iss": "https://elsewhere.example"},
    {"nonce": "another"},
    {"nonce": 7},
    {"exp": PAST},
    {"iat": PAST},
    {"sub": ""},
    {"sub": "s" * 256},
    {"sub": "mallöry"},
    {"sub": "mallory\0"},
    *({name: None} for name in ("iss", "aud", "sub", "exp", "iat", "nonce")),
]


@pytest.mark.case("A-04", "A-05", "A-19")
@pytest.mark.parametrize("changes", ID_TOKENS)
async def test_an_id_token_for_others_or_of_another_time_signs_nobody_in(
    victim: Browser, good: Hostile, acme: TenantId, changes: dict[str, Any]
) -> None:
    good.claims = changes
    assert failed(await victim.come_back(good.approve(await victim.address(acme, "good"))))
    assert "/token" in good.asked


@pytest.mark.case("A-01", "A-03", "A-04")
@pytest.mark.parametrize(
    "header",
    [
        {"typ": "at+jwt"},
        {"typ": "logout+jwt"},
        {"kid": "unknown"},
        {"jku": "https://elsewhere.example/jwks"},
        {"jwk": new_key().as_dict(private=False)},
    ],
    ids=lambda header: next(iter(header)),
)
async def test_an_id_token_with_a_telling_header_signs_nobody_in(
    victim: Browser, good: Hostile, acme: TenantId, header: dict[str, Any]
) -> None:
    good.header = header
    assert failed(await victim.come_back(good.approve(await victim.address(acme, "good"))))


@pytest.mark.case("A-01", "A-06")
@pytest.mark.parametrize("cut", ["", "A" * 86, "x" * 20_000])
async def test_an_id_token_without_its_signature_signs_nobody_in(
    victim: Browser, good: Hostile, acme: TenantId, cut: str
) -> None:
    back = good.approve(await victim.address(acme, "good"))
    stripped = good.signed().rpartition(".")[0] + "." + cut
    good.answers["/token"] = lambda: shown({"access_token": "a", "id_token": stripped})
    assert failed(await victim.come_back(back))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("access_denied", (403, "forbidden")),
        ("temporarily_unavailable", (503, "unavailable")),
        ("server_error", (503, "unavailable")),
        ("invalid_scope", (400, "sign-in-failed")),
        (WORDS, (400, "sign-in-failed")),
        ("", (400, "sign-in-failed")),
    ],
)
async def test_what_the_provider_says_instead_is_told_in_our_words(
    victim: Browser, good: Hostile, acme: TenantId, error: str, expected: tuple[int, str]
) -> None:
    back = good.approve(await victim.address(acme, "good"), error=error, error_description=WORDS)
    response = await victim.come_back(str(httpx2.URL(back).copy_remove_param("code")))
    assert (response.status_code, response.json()["code"]) == expected
    assert WORDS not in response.text


DOWN, REFUSED = (503, "unavailable"), (400, "sign-in-failed")
BEARER = {"access_token": "a", "token_type": "Bearer"}
TOKEN_ANSWERS = {
    "down": (lambda: shown({}, 500), DOWN),
    "slow": (lambda: shown({}, after_seconds=3), DOWN),
    "oversized": (lambda: shown({"id_token": "x" * 100_000}), DOWN),
    "refused": (lambda: shown({"error": WORDS, "error_description": WORDS}, 400), REFUSED),
    "redirected": (lambda: (302, b"", 0), DOWN),
    "rubbish": (lambda: (200, b"\xff{", 0), REFUSED),
    "nested": (lambda: (200, b"[" * 60_000, 0), REFUSED),
    "a list": (lambda: shown([BEARER]), REFUSED),
    "without an ID token": (lambda: shown(BEARER), REFUSED),
    "no text": (lambda: shown({**BEARER, "id_token": 7}), REFUSED),
}


@pytest.mark.case("A-07")
@pytest.mark.parametrize(("answer", "expected"), TOKEN_ANSWERS.values(), ids=TOKEN_ANSWERS)
async def test_whatever_the_token_endpoint_answers_becomes_a_typed_problem(
    victim: Browser, good: Hostile, acme: TenantId, answer: Any, expected: tuple[int, str]
) -> None:
    back = good.approve(await victim.address(acme, "good"))
    good.answers["/token"] = answer
    response = await victim.come_back(back)
    assert (response.status_code, response.json()["code"]) == expected
    assert WORDS not in response.text


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"email_verified": False}, 403),
        ({"email_verified": "true"}, 403),
        ({"email_verified": 1}, 403),
        ({"email_verified": None}, 403),
        ({"email": "é" * 400}, 200),
        ({"email": "a@b.example\n"}, 200),
    ],
    ids=str,
)
async def test_only_a_verified_address_that_can_be_shown_is_one(
    victim: Browser, good: Hostile, acme: TenantId, claims: dict[str, Any], status: int
) -> None:
    good.claims = claims
    response = await victim.come_back(good.approve(await victim.address(acme, "good")))
    assert response.status_code == status
    if status == 200:
        assert (response.json()["email"], response.json()["email_verified"]) == (None, False)


@pytest.mark.parametrize(("subject", "expected"), [("mallory", 200), ("somebody else", 400)])
async def test_the_userinfo_endpoint_must_speak_of_the_same_person(
    victim: Browser, good: Hostile, acme: TenantId, subject: str, expected: int
) -> None:
    good.claims = {"email": None, "email_verified": None}
    about = {"sub": subject, "email": "m@example.com", "email_verified": True, "iss": "x"}
    good.answers["/userinfo"] = lambda: shown(about)
    response = await victim.come_back(good.approve(await victim.address(acme, "good")))
    assert response.status_code == expected
    if expected == 200:
        assert response.json()["email"] == "m@example.com"


@pytest.mark.parametrize("more", ["&state=x", "&code=x", "&iss=x", f"&error={'x' * 200}"])
async def test_a_parameter_that_is_there_twice_or_too_long_is_refused(
    victim: Browser, good: Hostile, acme: TenantId, more: str
) -> None:
    back = good.approve(await victim.address(acme, "good"), error="access_denied")
    response = await victim.come_back(back + more)
    assert (response.status_code, response.json()["code"]) == (400, "malformed")


@pytest.mark.case("A-07")
async def test_a_provider_that_is_down_is_said_to_be(victim: Browser, acme: TenantId) -> None:
    response = await victim.begin(acme, "gone")
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert response.json()["detail"] == "The identity provider cannot be reached right now."


async def test_an_issuer_where_nobody_can_sign_in_is_not_asked_to(
    victim: Browser, acme: TenantId
) -> None:
    response = await victim.begin(acme, "mute")
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
