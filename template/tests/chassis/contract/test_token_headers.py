"""What the header of a token says never makes the service trust another key or algorithm."""

from collections.abc import Callable
from typing import Any

import pytest
from chassis.contract.forgery import AS_PUBLISHED, FORGER, OTHER, Forger, refused, unsigned

Changes = dict[str, Any]


def test_the_forger_makes_good_tokens_when_the_header_is_as_it_should_be() -> None:
    assert not refused(FORGER.token(header={}))


@pytest.mark.case("A-01")
@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "", None])
def test_a_token_without_a_signature_is_refused(alg: str | None) -> None:
    _, claims, signature = FORGER.token().split(".")
    for tail in ("", signature):
        assert refused(f"{unsigned(FORGER.header | {'alg': alg})}.{claims}.{tail}")


@pytest.mark.case("A-02")
@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
@pytest.mark.parametrize("public", AS_PUBLISHED)
def test_the_public_key_is_no_shared_secret(alg: str, public: Callable[[Forger], bytes]) -> None:
    assert refused(FORGER.with_secret(alg, public(FORGER)))


@pytest.mark.parametrize("alg", ["ES256", "RS256", "PS256", "EdDSA", "Ed448", "ed25519"])
def test_another_algorithm_is_refused_even_with_our_signature(alg: str) -> None:
    assert refused(FORGER.token(header={"alg": alg}))


@pytest.mark.case("A-03")
@pytest.mark.parametrize(
    "trick",
    [
        {"jku": "http://127.0.0.1:1/keys"},
        {"x5u": "http://127.0.0.1:1/chain"},
        {"x5c": ["MIIB"]},
        {"jwk": {}},
        {"crit": ["exp"]},
        {"b64": False, "crit": ["b64"]},
        {"zip": "DEF"},
        {"cty": "JWT"},
        {"kid": "../../../dev/null"},
        {"kid": "' OR 1=1 --"},
        {"kid": ""},
        {"kid": None},
        {"kid": 7},
        {"kid": ["x"]},
    ],
    ids=str,
)
def test_a_header_that_points_elsewhere_is_refused(trick: Changes) -> None:
    """Signed with our own key, so that only the header is wrong."""
    assert refused(FORGER.token(header=trick))


@pytest.mark.case("A-03")
def test_a_key_that_the_token_brings_along_is_not_believed() -> None:
    stranger = Forger(OTHER)
    for kid in (FORGER.key.kid, stranger.key.kid):
        header = {"jwk": stranger.key.as_dict(private=False), "kid": kid}
        assert refused(stranger.token(header=header))


@pytest.mark.case("A-03")
def test_no_token_makes_the_service_look_elsewhere(listener: tuple[str, list[Any]]) -> None:
    url, connections = listener
    for name in ("jku", "x5u", "iss"):
        assert refused(FORGER.token(header={name: url}))
    assert refused(FORGER.token(iss=url))
    assert connections == []


@pytest.mark.case("A-04")
@pytest.mark.parametrize("typ", ["JWT", "at+JWT", "rt+jwt", "application/json", "", None, 1])
def test_another_type_of_token_is_refused(typ: Any) -> None:
    assert refused(FORGER.token(header={"typ": typ}))


@pytest.mark.case("A-04")
@pytest.mark.parametrize("name", ["alg", "typ", "kid"])
def test_a_header_that_lacks_something_is_refused(name: str) -> None:
    assert refused(FORGER.token(without_header=name))
