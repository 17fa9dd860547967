"""Letters wait for what they tell of: with a key it is there only when the answer is."""

from functools import partial
from typing import Annotated
from uuid import uuid4

import pytest
from chassis.accounts.people import OTHER, PASSWORD, World
from fastapi import APIRouter

from callers import Client, ClientFor, Person
from service.chassis.app import create_app
from service.chassis.application.joined import JoinedTransaction
from service.chassis.application.tenancy import Tenancy
from service.chassis.contract.guards import allow
from service.chassis.errors import Conflict
from service.chassis.identity import Action, Role
from service.chassis.settings import Settings

CanRead = Annotated[Tenancy, allow("members", Action.READ)]


def key() -> dict[str, str]:
    return {"idempotency-key": uuid4().hex}


async def test_an_invitation_with_a_key_gets_its_letter_once(
    world: World, client_for: ClientFor
) -> None:
    admin = client_for(world.tenant, Role.ADMIN)
    for n in range(6):
        email, sent = f"{n}-{uuid4().hex}@example.org", key()
        body = {"email": email, "name": "Ida", "role": "viewer"}
        for _ in range(2):
            invited = await admin.post("/v1/members", json=body, headers=sent)
            assert invited.status_code == 201
        assert len(await world.letters(email)) == 1
    again = f"/v1/members/{invited.json()['id']}/invitation-letter"
    assert (await admin.post(again, headers=key())).status_code == 204
    assert len(await world.letters(email)) == 2
    accepted = {"token": await world.token(email), "password": PASSWORD}
    assert (await world.post("/accounts/accept-invitation", accepted)).status_code == 204


async def test_ones_own_letters_come_with_a_key_too(world: World) -> None:
    email, new = await world.member(), f"{uuid4().hex}@example.org"
    client = await world.as_member(email)
    asked = await client.post("/v1/account/email", json={"email": new}, headers=key())
    assert asked.status_code == 204
    assert await world.token(new)
    passwords = {"old": PASSWORD, "new": OTHER}
    changed = await client.put("/v1/account/password", json=passwords, headers=key())
    assert changed.status_code == 204
    assert len(await world.letters(email)) == 1


@pytest.mark.parametrize(("keyed", "status", "started"), [(1, 204, 1), (1, 409, 0), (0, 409, 1)])
async def test_what_comes_afterwards_is_dropped_when_the_request_is_undone(
    world: World, settings: Settings, keyed: int, status: int, started: int
) -> None:
    """Without a key each block is committed by itself, whatever becomes of the request."""
    router, done = APIRouter(prefix="/deeds"), list[str]()

    @router.post("", status_code=204)
    async def deed(tenancy: CanRead) -> None:
        tenancy.afterwards(lambda: done.append("letter"))
        assert len(done) == 1 - keyed, "not before the commit"
        if status == 409:
            raise Conflict("no")

    made = create_app(settings, [router])
    made.state.given = world.app.state.given
    client = Client(made, Person(made, world.tenant, Role.EDITOR))
    answer = await client.post("/v1/deeds", headers=key() if keyed else {})
    assert answer.status_code == status
    assert len(done) == started


async def test_what_was_undone_is_not_told_by_a_later_commit(world: World) -> None:
    """As after a model call: the refusal is kept by a commit of its own."""
    work, done = JoinedTransaction(world.accounts.database, world.tenant), list[str]()
    for what, end in (("undone", work.undo), ("done", work.commit), ("again", work.commit)):
        await work.root()
        work.afterwards(partial(done.append, what))
        await end()
    assert done == ["done", "again"]
    work.over = True
    work.afterwards(lambda: done.append("at once"))
    assert done[-1] == "at once"
