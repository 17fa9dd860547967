"""Members change what is theirs, and only who they are."""

import time
from collections.abc import Awaitable, Callable

import pytest
from chassis.accounts.people import OTHER, PASSWORD, World
from httpx2 import Response

from callers import Client, ClientFor
from service.chassis.identity import FRESH_SECONDS, Role

VERIFY, RESET = "/accounts/verify-email", "/accounts/reset"


async def change(client: Client, old: str, new: str) -> Response:
    return await client.put("/v1/account/password", json={"old": old, "new": new})


async def test_a_password_is_changed_with_the_old_one_and_other_sessions_end(world: World) -> None:
    email = await world.member()
    elsewhere, here = await world.as_member(email), await world.as_member(email)
    refused = await change(here, OTHER, OTHER)
    assert refused.json()["fields"][0]["field"] == "old"
    assert (await change(here, PASSWORD, "123456789012")).json()["fields"][0]["field"] == "new"
    assert (await change(here, PASSWORD, OTHER)).status_code == 204
    assert len((await here.get("/v1/sessions")).json()) == 1
    assert (await elsewhere.get("/v1/sessions")).status_code == 401
    assert (await world.sign_in(email, PASSWORD)).status_code == 401
    assert (await world.sign_in(email, OTHER)).status_code == 200
    assert "was changed" in str((await world.letters(email))[-1]["subject"])
    recorded = await world.events(await world.id_of(email))
    assert recorded == ["password.change_refused", "password.changed", "sign_in.failed"]


@pytest.mark.case("A-16")
async def test_a_stolen_session_does_not_guess_the_old_password(world: World) -> None:
    client = await world.as_member(await world.member())
    codes = [(await change(client, OTHER, OTHER)).status_code for _ in range(6)]
    assert codes == [422] * 5 + [429]


async def test_a_machine_has_no_account(world: World, client_for: ClientFor) -> None:
    asked = {"name": "m", "role": "viewer", "scopes": ["account:read"]}
    key = await client_for(world.tenant, Role.ADMIN).post("/v1/api-keys", json=asked)
    machine = Client(world.app, None, headers={"authorization": f"Bearer {key.json()['key']}"})
    assert (await change(machine, PASSWORD, OTHER)).status_code == 403
    assert (await machine.post("/v1/account/totp")).status_code == 403


async def test_an_address_changes_when_somebody_reads_there(world: World) -> None:
    email, new = await world.member(), f"new-{time.time_ns()}@example.org"
    client = await world.as_member(email)
    assert (await client.post("/v1/account/email", json={"email": new})).status_code == 204
    assert (await world.sign_in(new, PASSWORD)).status_code == 401, "not yet"
    token = await world.token(new)
    assert (await world.post(VERIFY, {"token": token})).status_code == 204
    assert (await world.post(VERIFY, {"token": token})).status_code == 422, "once"
    assert (await world.sign_in(new, PASSWORD)).status_code == 200
    assert (await world.sign_in(email, PASSWORD)).status_code == 401
    recorded = await world.events(await world.id_of(new))
    assert recorded == ["email.change_requested", "email.verified"]
    (told,) = await world.letters(email)
    assert "Your address" in str(told["subject"])
    assert new not in told.get_content()


async def reset(world: World, email: str, _client_for: ClientFor) -> None:
    sent = {"token": await world.reset_token(email), "password": OTHER}
    assert (await world.post(RESET, sent)).status_code == 204


async def change_here(world: World, email: str, _client_for: ClientFor) -> None:
    assert (await change(await world.as_member(email), PASSWORD, OTHER)).status_code == 204


async def disable(world: World, email: str, client_for: ClientFor) -> None:
    path, owner = f"/v1/members/{await world.id_of(email)}", client_for(world.tenant, Role.OWNER)
    assert (await owner.post(f"{path}/disable")).status_code == 200
    assert (await owner.post(f"{path}/enable")).json()["state"] == "active"


Locking = Callable[[World, str, ClientFor], Awaitable[None]]


@pytest.mark.parametrize("lock_out", [reset, change_here, disable])
async def test_letters_that_a_thief_asked_for_are_worthless_once_the_thief_is_out(
    world: World, client_for: ClientFor, lock_out: Locking
) -> None:
    email, evil = await world.member(), f"evil-{time.time_ns()}@example.org"
    thief = await world.as_member(email)
    assert (await thief.post("/v1/account/email", json={"email": evil})).status_code == 204
    moving, resetting = await world.token(evil), await world.reset_token(email)
    await lock_out(world, email, client_for)
    assert (await world.post(VERIFY, {"token": moving})).status_code == 422
    again = {"token": resetting, "password": "a thief's, with 12 signs"}
    assert (await world.post(RESET, again)).status_code == 422
    assert await world.id_of(email)


async def test_the_address_of_who_was_disabled_stays(world: World) -> None:
    email, new = await world.member(), f"new-{time.time_ns()}@example.org"
    client = await world.as_member(email)
    assert (await client.post("/v1/account/email", json={"email": new})).status_code == 204
    token = await world.token(new)
    for state, code in (("disabled", 422), ("active", 204)):
        await world.run("UPDATE members SET state = :s WHERE email = :e", s=state, e=email)
        assert (await world.post(VERIFY, {"token": token})).status_code == code


async def test_an_address_of_somebody_else_is_not_taken(world: World) -> None:
    email, taken = await world.member(), await world.member()
    client = await world.as_member(email)
    assert (await client.post("/v1/account/email", json={"email": taken})).status_code == 204
    token = await world.token(taken)
    assert (await world.post(VERIFY, {"token": token})).status_code == 409
    assert (await world.sign_in(taken, PASSWORD)).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/account/email", {"email": "new@example.org"}),
        ("POST", "/v1/account/totp", None),
        ("DELETE", "/v1/account/totp", None),
    ],
)
async def test_what_takes_an_account_over_needs_a_fresh_sign_in(
    world: World, method: str, path: str, body: dict[str, str] | None
) -> None:
    stale = f"now() - interval '{FRESH_SECONDS + 1} seconds'"
    old = await world.as_member(await world.member())
    await world.run(f"UPDATE sessions SET authenticated_at = {stale}")
    refused = await old.request(method, path, json=body)
    assert refused.status_code == 401
    assert refused.json()["code"] == "sign-in-again"
    fresh = await world.as_member(await world.member())
    assert (await fresh.request(method, path, json=body)).status_code != 401
