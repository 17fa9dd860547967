"""An `Idempotency-Key` changes what a retry hears, and nothing of what is counted and recorded."""

import asyncio
from collections.abc import Callable
from uuid import uuid4

import pytest
from chassis.accounts.people import OTHER, PASSWORD, World, somewhere
from chassis.accounts.test_totp import code
from httpx2 import Response

from callers import Client, ClientFor
from service.chassis.identity import FRESH_SECONDS, TenantId

STALE = f"UPDATE sessions SET authenticated_at = now() - interval '{FRESH_SECONDS + 1} seconds'"
OPEN = "UPDATE account_attempts SET opens_at = 'epoch'"
KEPT = "SELECT state || ' ' || coalesce(convert_from(body, 'UTF8'), '') FROM idempotency_keys"
Headers = Callable[[], dict[str, str]]


def key() -> dict[str, str]:
    return {"idempotency-key": uuid4().hex}


async def change(client: Client, old: str, headers: dict[str, str]) -> Response:
    sent = {"old": old, "new": OTHER}
    return await client.put("/v1/account/password", json=sent, headers=headers)


@pytest.mark.case("A-16")
async def test_a_key_does_not_uncount_a_wrong_password(world: World) -> None:
    email, same = await world.member(), key()
    client = await world.as_member(email)
    guesses = [await change(client, "wrong", headers) for headers in (same, same, *[key()] * 4)]
    assert [answer.status_code for answer in guesses] == [422] * 5 + [429]
    assert await world.events(await world.id_of(email)) == ["password.change_refused"] * 5
    assert (await change(client, PASSWORD, key())).status_code == 429, "nor the right one"
    assert await world.run(KEPT) == [], "a refusal leaves the key free"


async def test_under_a_key_a_password_changes_once(world: World) -> None:
    email, same = await world.member(), key()
    client = await world.as_member(email)
    first, again = [await change(client, PASSWORD, same) for _ in range(2)]
    assert (first.status_code, again.status_code) == (204, 204)
    assert again.headers["idempotent-replayed"] == "true"
    assert (await world.sign_in(email, OTHER)).status_code == 200
    assert await world.events(await world.id_of(email)) == ["password.changed"]


async def test_many_guesses_under_keys_wait_for_no_connection(world: World) -> None:
    client = await world.as_member(await world.member())
    answers = await asyncio.gather(*(change(client, "wrong", key()) for _ in range(30)))
    codes = [answer.status_code for answer in answers]
    assert 5 <= codes.count(422) <= 8
    assert codes.count(422) + codes.count(429) == 30


@pytest.mark.parametrize("headers", [dict, key])
async def test_guessing_the_first_code_is_slowed_down(world: World, headers: Headers) -> None:
    client = await world.as_member(await world.member())
    secret = (await client.post("/v1/account/totp")).json()["secret"]

    async def confirm(sent: str) -> int:
        path = "/v1/account/totp/confirm"
        return (await client.post(path, json={"code": sent}, headers=headers())).status_code

    assert [await confirm("000000") for _ in range(6)] == [422] * 5 + [429]
    assert await confirm(code(secret)) == 429
    await world.run(OPEN)
    assert await confirm(code(secret)) == 200


async def test_what_is_shown_once_is_not_kept_for_a_retry(world: World) -> None:
    client, same = await world.as_member(await world.member()), key()
    begun = await client.post("/v1/account/totp", headers=same)
    secret = begun.json()["secret"]
    body = {"code": code(secret, late=1)}
    path = "/v1/account/totp/confirm"
    confirmed = await client.post(path, json=body, headers=same)
    assert (begun.status_code, confirmed.status_code) == (200, 200)
    assert sorted(await world.run(KEPT)) == ["unstored ", "unstored "]
    retries = [await client.post("/v1/account/totp", headers=same)]
    retries.append(await client.post(path, json=body, headers=same))
    assert [answer.json()["code"] for answer in retries] == ["unrepeatable"] * 2
    told = "".join(answer.text for answer in retries)
    assert not [word for word in (secret, *confirmed.json()["recovery_codes"]) if word in told]


@pytest.mark.example
@pytest.mark.parametrize("headers", [dict, key])
async def test_refusals_take_no_connection_from_anybody(
    world: World, client_for: ClientFor, rival: TenantId, headers: Headers
) -> None:
    ben = await client_for(rival).signed_in()
    first = await world.as_member(await world.member())
    bearer = {"authorization": first.headers["authorization"]}
    await world.run(STALE)
    world.app.state.given["credentials"]._remembered.clear()
    before = await world.events()

    async def refused() -> int:
        client = Client(world.app, None, somewhere(), headers=bearer)
        sent = {"email": "new@example.org"}
        return (await client.post("/v1/account/email", json=sent, headers=headers())).status_code

    many = [asyncio.create_task(refused()) for _ in range(40)]
    await asyncio.sleep(0.05)
    assert [(await ben.get("/v1/notes")).status_code for _ in range(4)] == [200] * 4
    assert await asyncio.gather(*many) == [401] * 40
    recorded = (await world.events())[len(before) :]
    assert recorded == ["authorization.sign_in_again"] * 40
