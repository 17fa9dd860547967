"""Asking a person instead: once at a time for each run, on record, and settled by who may."""

import asyncio

import pytest
from chassis.application.acting import rows
from chassis.runs.scripted import ask, ended

from callers import Client, Person
from service.chassis.app import Service
from service.chassis.identity import Role, TenantId

WHY = {"reason": "This cannot be right."}
SETTLED = {"outcome": "It is butter. Sorry."}


@pytest.fixture
async def run_id(ana: Client) -> str:
    run_id = await ask(ana, "Bread.")
    await ended(ana, run_id)
    return run_id


@pytest.fixture
def place(run_id: str) -> str:
    return f"/v1/runs/{run_id}/escalation"


async def waiting(client: Client) -> list[dict[str, str]]:
    found: list[dict[str, str]] = (await client.get("/v1/escalations")).json()
    return found


async def test_it_is_open_then_taken_then_settled_with_words_for_who_asked(
    ana: Client, bob: Client, place: str, run_id: str
) -> None:
    opened = await ana.post(place, json=WHY)
    assert (opened.status_code, opened.json()["state"]) == (200, "open")
    (shown,) = await waiting(bob)
    assert ana.me.granted
    assert shown["asked_by"] == str(ana.me.granted.member_id)
    assert (shown["run_id"], shown["reason"]) == (run_id, WHY["reason"])
    assert (shown["operation"], shown["answer"]) == ("tests.echo", "Bread.")
    assert (await bob.post(f"{place}/take")).json()["state"] == "taken"
    assert (await waiting(bob))[0]["taken_by"]
    settled = await bob.post(f"{place}/settle", json=SETTLED)
    assert settled.json()["state"] == "settled"
    assert (await ana.get(place)).json() == settled.json()
    assert settled.json()["outcome"] == SETTLED["outcome"]
    assert await waiting(bob) == []


async def test_who_asks_again_is_told_of_the_first(ana: Client, place: str, bob: Client) -> None:
    first = await ana.post(place, json=WHY)
    again = await ana.post(place, json={"reason": "Still waiting."})
    assert (again.status_code, again.json()) == (200, first.json())
    await bob.post(f"{place}/take")
    assert (await ana.post(place, json=WHY)).json()["state"] == "taken"
    assert len(await waiting(bob)) == 1


async def test_twenty_at_once_are_one(
    ana: Client, asking: Service, acme: TenantId, place: str
) -> None:
    asked = await asyncio.gather(*(ana.post(place, json=WHY) for _ in range(20)))
    assert {each.status_code for each in asked} == {200}
    assert await rows(asking, acme, "SELECT count(*) FROM escalations") == [(1,)]
    opened = "SELECT count(*) FROM audit_log WHERE action = 'escalation.opened'"
    assert await rows(asking, acme, opened) == [(1,)]


async def test_what_was_settled_can_be_asked_anew(ana: Client, bob: Client, place: str) -> None:
    await ana.post(place, json=WHY)
    await bob.post(f"{place}/settle", json=SETTLED)
    anew = (await ana.post(place, json={"reason": "It is not butter either."})).json()
    assert (anew["state"], anew["outcome"]) == ("open", None)
    assert (await ana.get(place)).json() == anew


async def test_each_step_is_taken_once(ana: Client, bob: Client, place: str) -> None:
    await ana.post(place, json=WHY)
    for step, body, status in (
        ("take", None, 200),
        ("take", None, 409),
        ("settle", SETTLED, 200),
        ("settle", SETTLED, 409),
        ("take", None, 409),
    ):
        assert (await bob.post(f"{place}/{step}", json=body)).status_code == status, step


async def test_each_step_is_on_record(
    ana: Client, bob: Client, asking: Service, acme: TenantId, place: str
) -> None:
    await ana.post(place, json=WHY)
    await bob.post(f"{place}/take")
    await bob.post(f"{place}/settle", json=SETTLED)
    found = "SELECT actor, action, target FROM audit_log WHERE action LIKE 'escalation.%'"
    assert ana.me.granted
    assert bob.me.granted
    run_id = place.split("/")[3]
    asker, settler = str(ana.me.granted.member_id), str(bob.me.granted.member_id)
    assert await rows(asking, acme, f"{found} ORDER BY number") == [
        (asker, "escalation.opened", run_id),
        (settler, "escalation.taken", run_id),
        (settler, "escalation.settled", run_id),
    ]


async def test_only_who_may_sees_and_settles(
    asking: Service, acme: TenantId, ana: Client, bob: Client, place: str
) -> None:
    await ana.post(place, json=WHY)
    editor = Client(asking, Person(asking, acme, Role.EDITOR))
    for other in (ana, editor):
        assert (await other.get("/v1/escalations")).status_code == 403
        assert (await other.post(f"{place}/take")).status_code == 403
        assert (await other.post(f"{place}/settle", json=SETTLED)).status_code == 403
    for other in (bob, editor):
        assert (await other.post(place, json=WHY)).status_code == 404
        assert (await other.get(place)).status_code == 404
    assert (await waiting(bob))[0]["state"] == "open"


async def test_another_tenant_sees_and_settles_nothing(
    ana: Client, eve: Client, place: str
) -> None:
    opened = (await ana.post(place, json=WHY)).json()
    assert await waiting(eve) == []
    assert (await eve.post(f"{place}/take")).status_code == 404
    assert (await eve.post(f"{place}/settle", json=SETTLED)).status_code == 404
    assert (await ana.get(place)).json() == opened


async def test_there_is_none_where_nobody_was_asked(ana: Client, bob: Client, place: str) -> None:
    assert (await ana.get(place)).status_code == 404
    assert (await bob.post(f"{place}/take")).status_code == 404
