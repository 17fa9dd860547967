"""A service whose people all come from a provider keeps no passwords, and no way to them."""

from collections.abc import AsyncIterator

import pytest

from callers import KEY, Client, Person
from service.chassis.app import Service, create_app
from service.chassis.identity import Role, TenantId
from service.chassis.sections import AccountsSettings
from service.chassis.settings import Settings, about
from service.product import FEATURES

DOORS = ["sign-in/password", "sign-in/passkey", "accounts/reset", "account/totp"]


@pytest.fixture
async def without(settings: Settings) -> AsyncIterator[Service]:
    accounts = settings.accounts.model_copy(update={"enabled": False})
    service = create_app(settings.model_copy(update={"accounts": accounts}), FEATURES)
    async with service.router.lifespan_context(service) as state:
        service.state.given = state
        yield service


def paths_of(service: Service) -> set[str]:
    return set(service.openapi()["paths"])


async def test_without_accounts_no_route_of_theirs_is_there(app: Service, without: Service) -> None:
    gone = paths_of(app) - paths_of(without)
    assert {f"/v1/{door}" for door in DOORS} <= gone
    assert paths_of(without) < paths_of(app)
    assert not [path for path in paths_of(without) if "pass" in path or "account" in path]


async def test_an_invitation_sends_no_letter(without: Service, acme: TenantId) -> None:
    owner = Client(without, Person(without, acme, Role.OWNER))
    invitation = {"email": "new@example.org", "name": "New"}
    answer = await owner.post("/v1/members", json=invitation, headers={"idempotency-key": KEY})
    assert answer.status_code == 201, answer.text
    assert "accounts" not in without.state.given


def test_what_was_answered_decides_unless_the_operator_does(settings: Settings) -> None:
    unset = settings.model_copy(update={"accounts": AccountsSettings()})
    assert unset.offers_accounts is about().accounts
    for said in (True, False):
        accounts = AccountsSettings(enabled=said)
        assert settings.model_copy(update={"accounts": accounts}).offers_accounts is said
