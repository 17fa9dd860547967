"""A question to a model ends once, in a state that says what the caller can do."""

import asyncio
from dataclasses import replace
from hashlib import sha256
from inspect import get_annotations
from typing import get_args
from uuid import uuid4

import pytest
from chassis.runs.scripted import ask, ended, events_in, parts
from fastapi.routing import APIRoute, iter_route_contexts
from sqlalchemy import text

from callers import Client
from service.chassis.app import Service
from service.chassis.application.database import Database
from service.chassis.application.runs import AsksModel, Runs
from service.chassis.contract.run_states import RunState
from service.chassis.contract.words import LANGUAGES
from service.chassis.identity import TenantId


async def test_an_answer_succeeds_with_all_that_belongs_to_it(ana: Client) -> None:
    run_id = await ask(ana, "Bread ", "and ", "bütter")
    shown = await ended(ana, run_id)
    answer = shown.pop("answer")
    assert shown == {"state": "succeeded", "run_id": run_id, "operation": "tests.echo"}
    assert answer.pop("usage")["answered_characters"] == 16
    assert answer == {
        "text": "Bread and bütter",
        "sha256": sha256("Bread and bütter".encode()).hexdigest(),
        "ai_generated": True,
        "confidence": None,
        "citations": [],
    }


async def test_it_is_pending_then_streaming_and_says_when_to_look_again(ana: Client) -> None:
    run_id = await ask(ana, 0.3, "a", 5)
    seen = []
    for _ in range(40):
        answer = await ana.get(f"/v1/runs/{run_id}")
        assert answer.headers["retry-after"] == str(answer.json()["retry_after"])
        seen.append(answer.json()["state"])
        await asyncio.sleep(0.02)
    assert sorted(set(seen), key=seen.index) == ["pending", "streaming"]


WRONG = {
    "unavailable at once": ([{"unavailable": 1}], "degraded", "model_unavailable", None),
    "unavailable later": (["a ", {"unavailable": 1}], "degraded", "model_unavailable", "a "),
    "too slow": (["a ", 9], "degraded", "too_slow", "a "),
    "too long": (["a" * 60, "b" * 60], "degraded", "cut_short", "a" * 60 + "b" * 40),
    "broken": (["a ", {"boom": 1}], "failed", "internal", None),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
async def test_what_goes_wrong_has_a_reason_and_words_and_no_inside(
    ana: Client, runs: Runs, wrong: tuple[list[object], str, str, str | None]
) -> None:
    steps, state, reason, said = wrong
    runs.pace = replace(runs.pace, longest_seconds=0.5, most_characters=100)
    shown = await ended(ana, await ask(ana, *steps))
    assert (shown["state"], shown["reason"]) == (state, reason)
    assert shown["message"]
    assert ((shown.get("answer") or {}).get("text")) == said
    assert "10.0.0.7" not in str(shown)
    assert "secret" not in str(shown)


@pytest.mark.parametrize("language", ["en", "de"])
async def test_what_is_shown_instead_of_an_answer_is_in_the_readers_language(
    ana: Client, language: str
) -> None:
    asked_for = {"accept-language": language}
    run_id = await ask(ana, "a ", {"unavailable": 1})
    await ended(ana, run_id)
    shown = (await ana.get(f"/v1/runs/{run_id}", headers=asked_for)).json()
    events = (await ana.get(f"/v1/runs/{run_id}/events", headers=asked_for)).text
    said = LANGUAGES[language]["run.model_unavailable"].message
    assert shown["message"] == said
    assert events_in(events)[-1]["run"] == shown


async def test_a_model_that_never_waits_holds_up_nobody(
    ana: Client, bob: Client, runs: Runs
) -> None:
    runs.pace = replace(runs.pace, longest_seconds=1)
    run_id = await ask(ana, {"babble": 1})
    async with asyncio.timeout(5):
        assert (await ended(bob, await ask(bob, "b")))["state"] == "succeeded"
    assert (await ended(ana, run_id))["reason"] == "too_slow"


async def test_a_model_says_what_no_database_keeps(ana: Client) -> None:
    """`\\0` and half a character: our intake refuses both, a model is not asked by it."""
    shown = await ended(ana, await ask(ana, {"chr": 0}, {"chr": 0xD800}, "\U0001f35e"))
    assert shown["answer"]["text"] == "\ufffd\ufffd\U0001f35e"


async def test_nobody_else_sees_it_not_even_the_owner_of_the_tenant(
    ana: Client, bob: Client, eve: Client
) -> None:
    run_id = await ask(ana, "mine")
    await ended(ana, run_id)
    for other in (bob, eve):
        for path in ("", "/events"):
            theirs = await other.get(f"/v1/runs/{run_id}{path}")
            nobodys = await other.get(f"/v1/runs/{uuid4()}{path}")
            assert theirs.status_code == nobodys.status_code == 404
        assert (await other.post(f"/v1/runs/{run_id}/cancel")).status_code == 404
    assert (await ended(ana, run_id))["state"] == "succeeded"


async def test_cancelling_ends_it_and_the_model_is_heard_no_longer(
    ana: Client, runs: Runs, database: Database, acme: TenantId
) -> None:
    run_id = await ask(ana, *parts(500, 0.02))
    await asyncio.sleep(0.2)
    cancelled = (await ana.post(f"/v1/runs/{run_id}/cancel")).json()
    assert (cancelled["state"], cancelled["reason"]) == ("failed", "cancelled")
    async with asyncio.timeout(2):
        while runs._working:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)
    assert await ended(ana, run_id) == cancelled
    last = events_in((await ana.get(f"/v1/runs/{run_id}/events")).text)[-1]
    assert (last["event"], last["problem"]["code"]) == ("error", "run-cancelled")
    assert (await ana.post(f"/v1/runs/{run_id}/cancel")).json() == cancelled


async def test_a_cancel_that_comes_too_late_changes_nothing(ana: Client) -> None:
    run_id = await ask(ana, "done")
    shown = await ended(ana, run_id)
    assert (await ana.post(f"/v1/runs/{run_id}/cancel")).json() == shown


async def test_it_ends_once_whoever_races(ana: Client, database: Database, acme: TenantId) -> None:
    run_ids = await asyncio.gather(*(ask(ana, *parts(5)) for _ in range(15)))
    await asyncio.gather(*(ana.post(f"/v1/runs/{each}/cancel") for each in run_ids * 3))
    shown = [await ended(ana, each) for each in run_ids]
    await asyncio.sleep(0.2)
    assert [await ended(ana, each) for each in run_ids] == shown
    for run_id in run_ids:
        events = events_in((await ana.get(f"/v1/runs/{run_id}/events")).text)
        assert [each["number"] for each in events] == [*range(1, len(events) + 1)]
        assert [each["event"] for each in events].count("final") + [
            each["event"] for each in events
        ].count("error") == 1


async def test_a_run_whose_process_died_has_failed_for_who_looks(
    ana: Client, database: Database, acme: TenantId
) -> None:
    async with database.transaction(acme) as session:
        put = (
            "INSERT INTO runs (operation, asked_by, asked_characters, alive_until, state) "
            "SELECT 'tests.echo', :caller, 1, now() - interval '1 second', 'streaming' "
            "RETURNING id"
        )
        await ana.signed_in()
        assert ana.person
        assert ana.person.granted
        caller = str(ana.person.granted.member_id)
        run_id = await session.scalar(text(put), {"caller": caller})
    shown = await asyncio.gather(*(ana.get(f"/v1/runs/{run_id}") for _ in range(5)))
    assert {each.json()["state"] for each in shown} == {"failed"}
    assert {each.json()["reason"] for each in shown} == {"interrupted"}


async def test_a_process_that_stops_says_so_at_once(ana: Client, runs: Runs) -> None:
    run_id = await ask(ana, "a", 60)
    await asyncio.sleep(0.1)
    await runs.stop()
    assert (await ended(ana, run_id))["reason"] == "interrupted"


async def test_nothing_is_asked_if_the_question_was_not_committed(
    ana: Client, runs: Runs, database: Database, acme: TenantId
) -> None:
    """A key that is reused for another question: the second one is no question."""
    key = {"idempotency-key": uuid4().hex}
    first = await ana.post("/v1/asked", json=["a"], headers=key)
    again = await ana.post("/v1/asked", json=["a"], headers=key)
    other = await ana.post("/v1/asked", json=["b"], headers=key)
    assert first.json() == again.json()
    assert other.status_code == 422
    await ended(ana, first.json()["run_id"])
    async with database.transaction(acme) as session:
        assert await session.scalar(text("SELECT count(*) FROM runs")) == 1


async def test_a_question_is_asked_when_it_is_committed(
    ana: Client, runs: Runs, database: Database, acme: TenantId
) -> None:
    """With a key it is not, if what the request does afterwards fails."""
    key = {"idempotency-key": uuid4().hex}
    refused = await ana.post("/v1/asked/in-vain", json=[0.5], headers=key)
    assert refused.status_code == 409
    assert not runs._working
    async with database.transaction(acme) as session:
        assert await session.scalar(text("SELECT count(*) FROM runs")) == 0


async def test_fifty_at_once_with_one_key_are_one_question(
    ana: Client, database: Database, acme: TenantId
) -> None:
    await ana.signed_in()
    key = {"idempotency-key": uuid4().hex}
    asked = (ana.post("/v1/asked", json=["a"], headers=key) for _ in range(50))
    statuses = {each.status_code for each in await asyncio.gather(*asked)}
    assert statuses <= {202, 409, 503}
    async with database.transaction(acme) as session:
        assert await session.scalar(text("SELECT count(*) FROM runs")) == 1


async def test_a_tenant_asks_only_so_much_at_once(ana: Client, eve: Client, runs: Runs) -> None:
    runs.pace = replace(runs.pace, at_once_of_a_tenant=2)
    for _ in range(2):
        await ask(ana, 5)
    refused = await ana.post("/v1/asked", json=["a"])
    assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
    assert refused.headers["retry-after"]
    await ask(eve, "a")


def asking_routes(app: Service) -> list[APIRoute]:
    routes = [context.original_route for context in iter_route_contexts(app.routes)]
    found = [route for route in routes if isinstance(route, APIRoute)]
    return [each for each in found if takes_model(each)]


def takes_model(route: APIRoute) -> bool:
    return any(AsksModel in get_args(each) for each in get_annotations(route.endpoint).values())


async def test_every_route_that_asks_a_model_answers_with_how_it_stands(
    app: Service, asking: Service
) -> None:
    for route in asking_routes(app):
        assert (route.response_model, route.status_code) == (RunState, 202), route.path
    assert [route.path for route in asking_routes(asking)] == [
        "/asked",
        "/asked/measured",
        "/asked/in-vain",
    ]
