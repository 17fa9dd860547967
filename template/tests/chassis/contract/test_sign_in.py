"""A token that is wrong in any one way is nobody's; the same token unchanged is somebody's."""

import time
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from chassis.contract.forgery import FORGER, OTHER, TOKENS, Forger, encoded, refused
from pydantic import SecretStr

from callers import KEY, Client
from service.chassis.application.sessions import Granted
from service.chassis.contract.access_tokens import LONGEST, AccessTokens
from service.chassis.identity import MemberId, SessionId, TenantId
from service.chassis.sections import IdentitySettings

GRANTED = Granted(
    TenantId(uuid4()), MemberId(uuid4()), SessionId(uuid4()), datetime.now(UTC), "unused"
)
Changes = dict[str, Any]


def test_what_was_signed_here_is_read_back() -> None:
    verified = TOKENS.verify(TOKENS.sign(GRANTED))
    assert verified.tenant_id == GRANTED.tenant_id
    assert verified.member_id == GRANTED.member_id
    assert verified.session_id == GRANTED.session_id
    assert 0 < verified.expires - time.time() <= 600


def test_the_forger_makes_good_tokens_when_nothing_is_changed() -> None:
    """Otherwise everything below would be refused for a reason of its own."""
    assert not refused(FORGER.token())


@pytest.mark.case("A-04")
@pytest.mark.parametrize("name", ["iss", "aud", "sub", "sid", "tenant", "jti", "iat", "exp"])
def test_a_claim_that_is_missing_or_of_another_kind_is_refused(name: str) -> None:
    assert refused(FORGER.token(without=name))
    kinds: list[Any] = [None, "", "x", [], {}, True, -1]
    for wrong in kinds:
        changes: Changes = {name: wrong}
        assert refused(FORGER.token(**changes)) or (name, wrong) == ("jti", "x")


@pytest.mark.case("A-04")
@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "urn:service:another"},
        {"iss": "https://accounts.example"},
        {"aud": "another"},
        {"aud": ["another", "third"]},
        {"sub": "admin"},
        {"tenant": "*"},
        {"tenant": f"{UUID(int=1)}' OR true --"},
    ],
    ids=str,
)
def test_a_token_for_or_from_somebody_else_is_refused(changes: Changes) -> None:
    assert refused(FORGER.token(**changes))


@pytest.mark.case("A-05")
@pytest.mark.parametrize(
    ("claims", "good"),
    [
        ({"iat": -60, "exp": 60}, True),
        ({"iat": -660, "exp": -60}, False),
        ({"iat": -60, "exp": -5}, True),
        ({"iat": -60, "exp": -15}, False),
        ({"iat": 5, "exp": 60}, True),
        ({"iat": 15, "exp": 60}, False),
        ({"iat": 3600, "exp": 3660}, False),
        ({"iat": 0, "exp": 60, "nbf": -5}, True),
        ({"iat": 0, "exp": 60, "nbf": 5}, True),
        ({"iat": 0, "exp": 60, "nbf": 15}, False),
        ({"iat": 0, "exp": 600}, True),
        ({"iat": 0, "exp": 601}, False),
        ({"iat": -590, "exp": 11}, False),
        ({"iat": 0, "exp": 10**9}, False),
        ({"iat": 0, "exp": 10**18}, False),
    ],
    ids=str,
)
def test_time_is_taken_exactly_up_to_a_leeway(claims: dict[str, int], *, good: bool) -> None:
    now = int(time.time())
    changes: Changes = {name: now + seconds for name, seconds in claims.items()}
    token = FORGER.token(**changes)
    assert refused(token) is not good


@pytest.mark.case("A-05")
@pytest.mark.parametrize("exp", [float("nan"), float("inf"), "9999999999", 1e308])
def test_a_time_that_is_no_time_is_refused(exp: object) -> None:
    assert refused(FORGER.token(exp=exp))


@pytest.mark.case("A-06")
def test_a_token_in_pieces_is_refused() -> None:
    token = FORGER.token()
    header, claims, signature = token.split(".")
    for end in range(0, len(token), 7):
        assert refused(token[:end])
    pieces = [f"{header}.{claims}.", f"{header}.{claims}", f".{claims}.{signature}", "...", "", "."]
    pieces += [
        f"{header}..{signature}",
        token + "." + signature,
        token + "A",
        token + "=",
        token * 2,
    ]
    changed = urlsafe_b64encode(b"\0" * 64).decode().rstrip("=")
    assert all(refused(piece) for piece in [*pieces, f"{header}.{claims}.{changed}"])


@pytest.mark.case("A-06")
def test_what_is_far_too_long_costs_nothing() -> None:
    brackets = encoded(b"[" * 1500)
    huge = [
        "a" * 1_000_000,
        "." * 1_000_000,
        FORGER.token() + "a" * 1_000_000,
        f"{brackets}.e30.AA",
    ]
    for token in huge:
        began = time.process_time()
        assert refused(token)
        assert time.process_time() - began < 0.005
    assert refused(FORGER.token(more="a" * LONGEST)), "even with a good signature"


@pytest.mark.case("A-06")
async def test_two_credentials_are_none(ana: Client) -> None:
    await ana.signed_in()
    good, stranger = f"Bearer {ana.me.token}", f"Bearer {FORGER.token()}"
    for pair in [(good, good), (good, stranger), (stranger, good), ("Basic eA==", good)]:
        headers = [("authorization", value) for value in pair]
        assert (await ana.get("/v1/sessions", headers=headers, auth=None)).status_code == 400
    one = await ana.get("/v1/sessions", headers=[("authorization", good)], auth=None)
    assert one.status_code == 200


@pytest.mark.parametrize("sent", ["", "Bearer", "Bearer ", "Basic eA==", "Token x", "Bearer a b"])
async def test_a_header_without_a_bearer_token_is_refused(ana: Client, sent: str) -> None:
    response = await ana.get("/v1/sessions", headers={"authorization": sent}, auth=None)
    assert response.status_code == 401


@pytest.mark.case("A-07")
def test_the_key_before_is_good_while_keys_rotate_and_not_after() -> None:
    before = FORGER.token()
    rotating = AccessTokens(
        IdentitySettings(signing_key=OTHER, previous_signing_key=SecretStr(KEY))
    )
    rotated = AccessTokens(IdentitySettings(signing_key=OTHER))
    assert not refused(before, rotating)
    assert not refused(rotating.sign(GRANTED), rotated), "new tokens are signed with the new key"
    assert refused(before, rotated)
    assert refused(rotating.sign(GRANTED)), "a process with only the old key knows no other"


def test_another_services_key_signs_nothing_here() -> None:
    stranger = Forger(OTHER)
    for kid in (stranger.key.kid, FORGER.key.kid):
        assert refused(stranger.token(header={"kid": kid}))
