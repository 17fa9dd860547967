"""Callers are remembered for the revocation bound at most, and never past their credential."""

import asyncio
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from callers import Client, ClientFor
from service.chassis.app import Service
from service.chassis.application.issuers import Issuers
from service.chassis.application.session_rows import END_ONE
from service.chassis.application.standing import Standing
from service.chassis.contract import credentials
from service.chassis.contract.access_tokens import AccessTokens
from service.chassis.contract.credentials import Credentials
from service.chassis.contract.external_tokens import ExternalTokens
from service.chassis.errors import Unauthenticated
from service.chassis.identity import Caller, Role, TenantId
from service.chassis.sections import IdentitySettings
from service.chassis.settings import Settings

BOUND = 0.3
NOBODY_ELSE = ExternalTokens((), Issuers(production=True))
Make = Callable[..., Credentials]


@pytest.fixture
def made(app: Service, settings: Settings) -> Make:
    def credentials(bound: float = BOUND, **options: Any) -> Credentials:
        own = settings.identity.model_copy(update={"revocation_seconds": bound, **options})
        standing = Standing(app.state.given["database"])
        return Credentials(standing, AccessTokens(own), NOBODY_ELSE, own)

    return credentials


async def end(client: Client) -> None:
    granted = client.me.granted
    assert granted
    async with client.me.app.state.given["database"].transaction(granted.tenant_id) as session:
        await session.execute(END_ONE, {"session": granted.session_id, "because": "test"})


def test_the_bound_is_five_seconds_unless_an_operator_says_otherwise() -> None:
    assert IdentitySettings.model_fields["revocation_seconds"].default <= 5


@pytest.mark.case("A-08")
async def test_an_ended_session_works_on_for_the_bound_and_no_longer(
    made: Make, ana: Client
) -> None:
    await ana.signed_in()
    remembering, forgetful = made(), made(0)
    for asked in (remembering, forgetful):
        assert (await asked.caller(ana.me.token)).role == Role.EDITOR
    await end(ana)
    with pytest.raises(Unauthenticated):
        await forgetful.caller(ana.me.token)
    assert await remembering.caller(ana.me.token), "what is remembered costs no query"
    await asyncio.sleep(BOUND + 0.05)
    with pytest.raises(Unauthenticated):
        await remembering.caller(ana.me.token)


async def test_use_does_not_prolong_what_is_remembered(made: Make, ana: Client) -> None:
    await ana.signed_in()
    asked, until = made(), time.monotonic() + BOUND - 0.05
    await asked.caller(ana.me.token)
    await end(ana)
    while time.monotonic() < until:
        await asked.caller(ana.me.token)
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.05)
    with pytest.raises(Unauthenticated):
        await asked.caller(ana.me.token)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the wall clock, as an administrator or a time server may."""

    def stepped(seconds: float) -> None:
        real = time.time
        monkeypatch.setattr("time.time", lambda: real() + seconds)

    return stepped


@pytest.mark.case("A-13")
@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_stepped_clock_lets_nobody_live_longer(
    made: Make, ana: Client, clock: Callable[[float], None], hours: int
) -> None:
    await ana.signed_in()
    asked = made()
    assert await asked.caller(ana.me.token)
    await end(ana)
    clock(hours * 3600)
    await asyncio.sleep(BOUND + 0.05)
    with pytest.raises(Unauthenticated):
        await asked.caller(ana.me.token)


async def test_a_token_is_not_remembered_past_its_end(
    made: Make, app: Service, ana: Client
) -> None:
    await ana.signed_in()
    granted = ana.me.granted
    assert granted
    asked = made(60, access_token_seconds=1)
    token = asked._tokens.sign(granted)
    assert await asked.caller(token)
    ((until, _),) = asked._remembered.values()
    assert until - time.monotonic() <= 1


async def test_a_key_is_not_remembered_past_its_end(
    made: Make, client_for: ClientFor, acme: TenantId
) -> None:
    admin = client_for(acme, Role.ADMIN)
    asked_for = {"name": "n", "role": "viewer", "scopes": ["notes:read"], "days": 1}
    key = (await admin.post("/v1/api-keys", json=asked_for)).json()["key"]
    asked = made(10**6)
    assert await asked.caller(key)
    ((until, _),) = asked._remembered.values()
    assert 86_000 < until - time.monotonic() <= 86_400


class Anybody(Standing):
    """Knows everyone, and says nothing of a database."""

    def __init__(self) -> None:
        self.asked = 0

    async def with_key(self, sent: str, address: str = "") -> tuple[Caller, float]:
        self.asked += 1
        assert not address
        return Caller(sent, TenantId(uuid4()), Role.VIEWER), 60


async def test_what_is_remembered_is_bounded_and_the_oldest_goes_first(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "REMEMBERED", 10)
    standing = Anybody()
    asked = Credentials(standing, AccessTokens(settings.identity), NOBODY_ELSE, settings.identity)
    for number in range(50):
        await asked.caller(f"sk_{number}")
        assert len(asked._remembered) <= 10
    await asked.caller("sk_49")
    assert standing.asked == 50
    await asked.caller("sk_0")
    assert standing.asked == 51


async def test_nobody_is_remembered_for_a_bad_credential(made: Make, ana: Client) -> None:
    asked = made()
    await ana.signed_in()
    for bad in (ana.me.token[:-8] + "AAAAAAAA", "sk_x", "", "x" * 10_000):
        with pytest.raises(Unauthenticated):
            await asked.caller(bad)
    assert not asked._remembered
    assert await asked.caller(ana.me.token)
