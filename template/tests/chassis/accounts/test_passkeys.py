"""A passkey signs its owner in, here, now, once, and with the holder checked."""

import asyncio
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from chassis.accounts.authenticator import PRESENT, Authenticator, encoded
from chassis.accounts.people import World, somewhere
from chassis.wall.matrix import shape
from httpx2 import Response

from callers import Client
from service.chassis.identity import FRESH_SECONDS, TenantId

OWN, BEGIN = "/v1/account/passkeys", "/v1/account/passkeys/begin"


@pytest.fixture
def device(world: World) -> Authenticator:
    url = world.accounts.public_url
    return Authenticator(url, urlsplit(url).hostname or "")


async def register(client: Client, device: Authenticator) -> Response:
    options = (await client.post(BEGIN)).json()
    body = {"name": "my phone", "credential": device.create(options)}
    return await client.post(OWN, json=body)


async def challenged(world: World) -> dict[str, Any]:
    begun = await world.post("/sign-in/passkey/begin", {"tenant": str(world.tenant)})
    assert begun.status_code == 200
    options: dict[str, Any] = begun.json()
    return options


async def present(world: World, credential: dict[str, Any]) -> Response:
    body = {"tenant": str(world.tenant), "credential": credential}
    return await world.post("/sign-in/passkey", body)


async def sign_in(world: World, device: Authenticator) -> Response:
    device.counter += 1
    return await present(world, device.get(await challenged(world)))


async def owned(world: World, device: Authenticator) -> tuple[str, Client]:
    email = await world.member()
    client = await world.as_member(email)
    assert (await register(client, device)).status_code == 201
    return email, client


@pytest.mark.example
async def test_a_passkey_is_added_used_listed_and_removed(
    world: World, device: Authenticator
) -> None:
    email, client = await owned(world, device)
    answer = await sign_in(world, device)
    assert answer.status_code == 200
    bearer = {"authorization": f"Bearer {answer.json()['access_token']}"}
    mine = Client(world.app, None, headers=bearer)
    assert (await mine.get("/v1/notes")).status_code == 200
    (shown,) = (await mine.get(OWN)).json()
    assert shown["name"] == "my phone"
    assert shown["used_at"]
    stranger = await world.as_member(await world.member())
    assert (await stranger.get(OWN)).json() == []
    assert (await stranger.delete(f"{OWN}/{shown['id']}")).status_code == 404
    assert (await client.delete(f"{OWN}/{shown['id']}")).status_code == 204
    assert (await sign_in(world, device)).status_code == 401
    assert await world.run("SELECT methods FROM sessions WHERE methods = 'passkey'") == ["passkey"]
    recorded = await world.events(await world.id_of(email))
    assert recorded == ["passkey.added", "passkey.removed"]


async def test_a_passkey_is_added_once(world: World, device: Authenticator) -> None:
    _, client = await owned(world, device)
    stranger = await world.as_member(await world.member())
    for again in (client, stranger):
        assert (await register(again, device)).status_code == 409
    assert (await sign_in(world, device)).status_code == 200


async def test_a_challenge_is_good_once_even_for_five_at_once(
    world: World, device: Authenticator
) -> None:
    await owned(world, device)
    device.counter += 1
    proof = device.get(await challenged(world))
    answers = await asyncio.gather(*(present(world, proof) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 4


async def test_a_challenge_is_this_services_own_and_fresh(
    world: World, device: Authenticator
) -> None:
    _, client = await owned(world, device)
    device.counter += 1
    made_up = device.get({"challenge": encoded(b"0" * 32)})
    assert (await present(world, made_up)).status_code == 401
    registration = (await client.post(BEGIN)).json()
    assert (await present(world, device.get(registration))).status_code == 401, "other purpose"
    options = await challenged(world)
    await world.run("UPDATE passkey_challenges SET expires_at = now() - interval '1 second'")
    assert (await present(world, device.get(options))).status_code == 401
    assert (await sign_in(world, device)).status_code == 200


async def test_a_challenge_for_registration_is_its_askers(
    world: World, device: Authenticator
) -> None:
    ana, ben = [await world.as_member(await world.member()) for _ in range(2)]
    made = device.create((await ana.post(BEGIN)).json())
    body = {"name": "x", "credential": made}
    assert (await ben.post(OWN, json=body)).status_code == 422
    assert (await ana.post(OWN, json=body)).status_code == 201
    assert (await ana.post(OWN, json=body)).status_code == 422, "once"


async def test_a_counter_that_does_not_rise_is_a_copy(world: World, device: Authenticator) -> None:
    await owned(world, device)
    device.counter = 41
    assert (await sign_in(world, device)).status_code == 200
    for counter in (40, 7):
        device.counter = counter
        assert (await sign_in(world, device)).status_code == 401
    device.counter = 42
    assert (await sign_in(world, device)).status_code == 200


@pytest.mark.parametrize(
    "claim",
    [
        {"flags": PRESENT},
        {"origin": "https://evil.example"},
        {"party": "evil.example"},
    ],
)
async def test_a_holder_not_checked_or_another_site_is_refused_in_both_ceremonies(
    world: World, device: Authenticator, claim: dict[str, Any]
) -> None:
    _, client = await owned(world, device)
    forged = replace(device, **claim)
    assert (await sign_in(world, forged)).status_code == 401
    assert (await register(client, replace(forged, id=uuid4().bytes))).status_code == 422
    device.counter = forged.counter
    assert (await sign_in(world, device)).status_code == 200


async def test_another_key_does_not_sign_for_it(world: World, device: Authenticator) -> None:
    email, _ = await owned(world, device)
    other = Authenticator(device.origin, device.party, id=device.id, counter=9)
    assert (await sign_in(world, other)).status_code == 401
    assert await world.events(await world.id_of(email)) == ["passkey.added", "sign_in.failed"]
    assert (await sign_in(world, replace(device, counter=9))).status_code == 200


async def test_who_was_disabled_signs_in_no_more(world: World, device: Authenticator) -> None:
    email, _ = await owned(world, device)
    for state, code in (("disabled", 401), ("active", 200)):
        await world.run("UPDATE members SET state = :s WHERE email = :e", s=state, e=email)
        assert (await sign_in(world, device)).status_code == code


async def test_a_passkey_is_good_in_its_own_tenant(
    world: World, device: Authenticator, rival: TenantId
) -> None:
    await owned(world, device)
    assert (await sign_in(World(world.app, rival, world.outbox), device)).status_code == 401
    assert (await sign_in(world, device)).status_code == 200


@pytest.mark.case("A-17")
async def test_beginning_tells_neither_tenants_nor_accounts(world: World) -> None:
    begun = [
        await world.post("/sign-in/passkey/begin", {"tenant": str(tenant)})
        for tenant in (world.tenant, uuid4())
    ]
    plain = [{**answer.json(), "challenge": ""} for answer in begun]
    assert plain[0] == plain[1]
    assert len({len(answer.json()["challenge"]) for answer in begun}) == 1
    device = Authenticator("http://127.0.0.1:8000", "127.0.0.1")
    nowhere = World(world.app, TenantId(uuid4()), world.outbox)
    answers = [await sign_in(place, device) for place in (world, nowhere)]
    assert shape(answers[0]) == shape(answers[1])


@pytest.mark.parametrize("client_data", ["", "!", encoded(b"[" * 20_000), encoded(b"{}"), "AAAA"])
async def test_bytes_that_mean_nothing_are_refused(world: World, client_data: str) -> None:
    device = Authenticator("http://127.0.0.1:8000", "127.0.0.1")
    credential = device.get(await challenged(world))
    credential["response"]["clientDataJSON"] = client_data
    assert (await present(world, credential)).status_code == 422


async def test_a_device_that_sends_rubbish_with_a_good_challenge_is_refused(
    world: World, device: Authenticator
) -> None:
    _, client = await owned(world, device)
    for rubbish in (b"", b"\x80" * 9_000, b"\xff", os_noise()):
        proof = device.get(await challenged(world))
        proof["response"]["authenticatorData"] = encoded(rubbish)
        assert (await present(world, proof)).status_code == 401
        made = device.create((await client.post(BEGIN)).json())
        made["response"]["attestationObject"] = encoded(rubbish)
        answer = await client.post(OWN, json={"name": "x", "credential": made})
        assert answer.status_code == 422


def os_noise() -> bytes:
    return bytes(range(256)) * 8


async def test_adding_and_removing_need_a_fresh_sign_in(
    world: World, device: Authenticator
) -> None:
    client = await world.as_member(await world.member())
    await world.run(
        f"UPDATE sessions SET authenticated_at = now() - interval '{FRESH_SECONDS + 1} seconds'"
    )
    for answer in (await client.post(BEGIN), await client.delete(f"{OWN}/{uuid4()}")):
        assert answer.json()["code"] == "sign-in-again"
    fresh = await world.as_member(await world.member())
    assert (await register(fresh, device)).status_code == 201


async def test_challenges_for_strangers_are_bounded_and_forgotten(world: World) -> None:
    for tenant in (world.tenant, uuid4()):
        asked, address = {"tenant": str(tenant)}, somewhere()
        begun = [await world.post("/sign-in/passkey/begin", asked, address) for _ in range(70)]
        codes = [answer.status_code for answer in begun]
        assert codes[:60] == [200] * 60
        assert codes[-1] == 429, "whether the tenant is there or not"
    await world.run("UPDATE passkey_challenges SET expires_at = now() - interval '1 second'")
    await challenged(world)
    assert await world.run("SELECT count(*) FROM passkey_challenges") == [1]
