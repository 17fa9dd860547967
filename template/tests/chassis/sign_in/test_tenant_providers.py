"""A tenant's own providers: for its people only, with a secret that nobody reads in a row."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from time import time
from typing import Any
from uuid import uuid4

import pytest
from chassis.sign_in.browser import HOME, Browser, failed, parameters
from chassis.sign_in.conftest import SECRET, provider, serving
from chassis.sign_in.hostile import Hostile, hostile
from sqlalchemy import text

from callers import KEY
from service.chassis.app import Service
from service.chassis.application.issuers import Issuers
from service.chassis.application.once import Once
from service.chassis.application.providers import Providers
from service.chassis.application.sealing import Seal, Unsealable
from service.chassis.application.tenancy import Tenancy
from service.chassis.errors import Conflict, Invalid, NotFound, Unavailable
from service.chassis.identity import Caller, Role, SessionId, TenantId
from service.chassis.sections import IdentitySettings
from service.chassis.settings import Settings
from service.chassis.trust import TrustedProvider


def tenancy(app: Service, tenant: TenantId) -> Tenancy:
    given = app.state.given
    owner = Caller(
        str(uuid4()), tenant, Role.OWNER, session_id=SessionId(uuid4()), authenticated_at=time()
    )
    return Tenancy(owner, given["intelligence"], given["database"])


def own(at: Hostile, name: str = "own", **more: Any) -> TrustedProvider:
    known = provider(name, at.issuer, algorithm="ES256", **more)
    return TrustedProvider.model_validate(known)


async def test_people_sign_in_at_a_provider_that_their_tenant_added(
    besieged: Service, victim: Browser, good: Hostile, acme: TenantId, rival: TenantId
) -> None:
    providers: Providers = besieged.state.given["providers"]
    provider_id = await providers.add(tenancy(besieged, acme), own(good))
    there = await victim.address(acme, "own")
    assert parameters(there)["redirect_uri"] == f"{HOME}/v1/sign-in/callback/{provider_id}"
    response = await victim.come_back(good.approve(there))
    assert response.json()["tenant_id"] == str(acme)
    assert (await victim.begin(rival, "own")).status_code == 404
    assert await providers.names(tenancy(besieged, acme)) == ["own"]
    assert await providers.names(tenancy(besieged, rival)) == []


async def test_a_provider_that_is_taken_away_during_a_sign_in_signs_nobody_in(
    besieged: Service, victim: Browser, good: Hostile, acme: TenantId
) -> None:
    providers: Providers = besieged.state.given["providers"]
    ours = tenancy(besieged, acme)
    await providers.add(ours, own(good))
    back = good.approve(await victim.address(acme, "own"))
    await providers.remove(ours, "own")
    assert (await victim.come_back(back)).status_code == 404
    await providers.add(ours, own(good))
    back = good.approve(await victim.address(acme, "own"))
    await providers.remove(ours, "own")
    await providers.add(ours, own(good))
    assert failed(await victim.come_back(back)), "the same name is not the same provider"
    assert "/token" not in good.asked


@pytest.mark.case("A-19")
async def test_the_answer_for_one_tenant_is_no_answer_for_another(
    besieged: Service, victim: Browser, good: Hostile, acme: TenantId, rival: TenantId
) -> None:
    """The rival's administrator controls the rival's provider, and would like to be in acme."""
    providers: Providers = besieged.state.given["providers"]
    ours = await providers.add(tenancy(besieged, acme), own(good))
    theirs = await providers.add(tenancy(besieged, rival), own(good))
    back = good.approve(await victim.address(rival, "own"))
    assert failed(await victim.come_back(back.replace(str(theirs), str(ours))))
    assert "/token" not in good.asked


async def test_a_provider_of_the_operator_may_be_for_one_tenant(
    settings: Settings, good: Hostile, acme: TenantId, rival: TenantId
) -> None:
    known = provider("good", good.issuer, algorithm="ES256", tenant=acme)
    async with serving(settings, providers=[known]) as app:
        browser = Browser(app)
        assert (await browser.begin(acme, "good")).status_code == 303
        assert (await browser.begin(rival, "good")).status_code == 404
        await browser.close()


async def test_the_secret_is_sealed_for_its_tenant(
    besieged: Service, good: Hostile, acme: TenantId, rival: TenantId
) -> None:
    providers: Providers = besieged.state.given["providers"]
    ours = tenancy(besieged, acme)
    await providers.add(ours, own(good))
    async with ours.transaction() as session:
        rows = (await session.execute(text("SELECT * FROM identity_providers"))).all()
        sealed = await session.execute(text("SELECT client_secret_sealed FROM identity_providers"))
        stored = sealed.scalar_one()
    assert SECRET not in str(rows)
    assert (await providers.find(acme, "own")).client_secret == SECRET
    assert SECRET not in repr(await providers.find(acme, "own"))
    async with tenancy(besieged, rival).transaction() as session:
        copied = text("""
            INSERT INTO identity_providers
                (name, issuer, client_id, client_secret_sealed, algorithm, verified_email_only)
            VALUES ('copied', :issuer, 'service', :stored, 'ES256', true)
        """)
        await session.execute(copied, {"issuer": good.issuer, "stored": stored})
    with pytest.raises(Unavailable, match="has to be added again"):
        await providers.find(rival, "copied")


async def test_a_name_is_taken_once_and_what_is_not_there_is_not_removed(
    besieged: Service, good: Hostile, acme: TenantId
) -> None:
    providers: Providers = besieged.state.given["providers"]
    ours = tenancy(besieged, acme)
    await providers.add(ours, own(good))
    with pytest.raises(Conflict):
        await providers.add(ours, own(good))
    with pytest.raises(NotFound):
        await providers.remove(ours, "never-was")


async def test_an_address_that_a_tenant_typed_is_only_asked_through_the_guarded_transport(
    besieged: Service, good: Hostile, acme: TenantId
) -> None:
    database = besieged.state.given["database"]
    identity = IdentitySettings.model_validate({"signing_key": KEY, "sealing_key": KEY[::-1]})
    unguarded = Issuers(production=False)
    with pytest.raises(Unavailable, match="not enabled"):
        await Providers(identity, database, unguarded).add(tenancy(besieged, acme), own(good))
    await unguarded.aclose()
    assert await besieged.state.given["providers"].names(tenancy(besieged, acme)) == []


async def test_in_production_a_tenant_cannot_type_a_plain_address(
    besieged: Service, acme: TenantId
) -> None:
    identity = IdentitySettings.model_validate({"signing_key": KEY, "sealing_key": KEY[::-1]})
    strict = Issuers(production=True)
    providers = Providers(identity, besieged.state.given["database"], strict)
    async with hostile() as plain:
        with pytest.raises(Invalid, match="https"):
            await providers.add(tenancy(besieged, acme), own(plain))
        with pytest.raises(Unavailable):
            await strict.configured(plain.issuer, "ES256").metadata()
        assert plain.asked == []
    await strict.aclose()


async def test_without_a_sealing_key_there_are_no_providers(
    app: Service, good: Hostile, acme: TenantId
) -> None:
    browser = Browser(app)
    assert (await browser.begin(acme, "good")).status_code == 404
    with pytest.raises(Unavailable):
        await app.state.given["providers"].add(tenancy(app, acme), own(good))
    await browser.close()


def test_what_is_sealed_opens_with_the_same_key_for_the_same_purpose_only() -> None:
    sealed = Seal(KEY, "one").close("text")
    assert Seal(KEY, "one").open(sealed) == "text"
    assert "text" not in sealed
    for other in (Seal(KEY, "two"), Seal(KEY[::-1], "one")):
        with pytest.raises(Unsealable):
            other.open(sealed)


def test_what_was_sealed_and_changed_does_not_open() -> None:
    seal = Seal(KEY, "one")
    sealed = seal.close("text")
    raw = urlsafe_b64decode(sealed + "==")
    for at in range(len(raw)):
        changed = bytes([*raw[:at], raw[at] ^ 1, *raw[at + 1 :]])
        with pytest.raises(Unsealable):
            seal.open(urlsafe_b64encode(changed).decode().rstrip("="))
    assert seal.open(sealed) == "text"


async def test_a_thing_happens_once_for_all_and_without_the_store_not_at_all(
    settings: Settings, besieged: Service
) -> None:
    from redis.asyncio import Redis  # noqa: PLC0415

    secret = str(uuid4())
    async with Redis.from_url(settings.valkey.url.get_secret_value()) as store:
        assert await Once(store).first(secret, kept_seconds=60)
        assert not await Once(store).first(secret, kept_seconds=60)
    async with Redis.from_url("redis://127.0.0.1:9/0") as nowhere:
        with pytest.raises(Unavailable):
            await Once(nowhere).first(secret, kept_seconds=60)
