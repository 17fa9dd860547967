"""What a letter of a suspended tenant is worth: nothing, until the tenant is back."""

from uuid import uuid4

import pytest
from chassis.accounts.people import OTHER, PASSWORD, World

from callers import ClientFor, Suspend
from service.chassis.application.one_time import Purpose, issue
from service.chassis.identity import Role

RESET, ACCEPT, VERIFY = (
    f"/accounts/{name}" for name in ("reset", "accept-invitation", "verify-email")
)


async def sent_to_verify(world: World) -> str:
    email = await world.member()
    member_id, new = await world.id_of(email), f"{uuid4().hex}@example.org"
    async with world.accounts.database.transaction(world.tenant) as session:
        return str(await issue(session, world.tenant, member_id, Purpose.EMAIL, new))


async def sent_to_guest(world: World, client_for: ClientFor) -> str:
    email = f"{uuid4().hex}@example.org"
    body = {"email": email, "name": "Ida", "role": "viewer"}
    invited = await client_for(world.tenant, Role.ADMIN).post("/v1/members", json=body)
    assert invited.status_code == 201
    return await world.token(email)


@pytest.mark.case("A-18")
async def test_a_letter_of_a_suspended_tenant_does_nothing_until_it_is_back(
    world: World, client_for: ClientFor, suspend: Suspend
) -> None:
    email = await world.member()
    letters = [
        (RESET, {"token": await world.reset_token(email), "password": OTHER}),
        (ACCEPT, {"token": await sent_to_guest(world, client_for), "password": PASSWORD}),
        (VERIFY, {"token": await sent_to_verify(world)}),
    ]
    before = await world.events()
    await suspend(world.tenant)
    for path, body in letters:
        refused = await world.post(path, body)
        guessed = await world.post(path, body | {"token": body["token"][:-2] + "AA"})
        assert refused.status_code == 422
        assert refused.json()["fields"] == guessed.json()["fields"]
        assert refused.json()["detail"] == guessed.json()["detail"]
    assert await world.events() == before
    await suspend(world.tenant, back=True)
    for path, body in letters:
        assert (await world.post(path, body)).status_code == 204
