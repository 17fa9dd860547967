"""Operators say whom to trust in JSON; what is unclear or unsafe stops the start, by name."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from callers import KEY
from service.chassis.settings import Settings, SettingsRefused, load_settings

GOOD = {
    "name": "workforce",
    "issuer": "https://login.example",
    "client_id": "service",
    "client_secret": "a-long-enough-one",
}
ISSUER = {"issuer": "https://login.example", "audience": "urn:service"}


@pytest.fixture
def given(
    environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> pytest.MonkeyPatch:
    monkeypatch.chdir(tmp_path)
    for name, value in {**environment, "IDENTITY_SEALING_KEY": KEY[::-1]}.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def loaded(given: pytest.MonkeyPatch, providers: Any = (), issuers: Any = ()) -> Settings:
    given.setenv("IDENTITY_PROVIDERS", json.dumps(providers))
    given.setenv("IDENTITY_ISSUERS", json.dumps(issuers))
    return load_settings()


def test_what_an_operator_writes_is_read(given: pytest.MonkeyPatch) -> None:
    identity = loaded(given, [GOOD], [ISSUER]).identity
    assert identity.providers[0].name == "workforce"
    assert "a-long-enough-one" not in repr(identity)
    assert (identity.providers[0].algorithm, identity.issuers[0].longest_seconds) == ("RS256", 600)


UNFIT = {
    "an unknown field": {"pkce": False},
    "no algorithm": {"algorithm": "none"},
    "a shared secret": {"algorithm": "HS256"},
    "no address": {"issuer": "login.example"},
    "an address with a question": {"issuer": "https://login.example?x=y"},
    "a name that could be an id": {"name": "6d0c4d1e-7a55-4a53-9d3c-2f6a8a1f0b11"},
    "a name with a path": {"name": "../callback"},
    "a short secret": {"client_secret": "short"},
    "no tenant": {"tenant": "acme"},
}


@pytest.mark.parametrize("changes", UNFIT.values(), ids=UNFIT)
def test_what_is_unfit_is_named_and_not_repeated(
    given: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    with pytest.raises(SettingsRefused, match="IDENTITY_PROVIDERS") as refused:
        loaded(given, [{**GOOD, **changes}])
    assert "a-long-enough-one" not in str(refused.value)


def test_nothing_is_trusted_twice(given: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsRefused, match="two have the same name"):
        loaded(given, [GOOD, GOOD])
    with pytest.raises(SettingsRefused, match="two have the same issuer"):
        loaded(given, [], [ISSUER, ISSUER])
    assert len(loaded(given, [GOOD, {**GOOD, "name": "other"}]).identity.providers) == 2


def test_providers_need_a_key_of_their_own(given: pytest.MonkeyPatch) -> None:
    given.delenv("IDENTITY_SEALING_KEY")
    with pytest.raises(SettingsRefused, match="providers need a sealing_key"):
        loaded(given, [GOOD])
    given.setenv("SERVICE_ENVIRONMENT", "production")
    given.setenv("IDENTITY_SEALING_KEY", KEY)
    with pytest.raises(SettingsRefused, match="IDENTITY_SEALING_KEY: the same as TENANCY_KEY"):
        loaded(given)
