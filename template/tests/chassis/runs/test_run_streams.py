"""The events of a run: all of them, in order, from any point on, to whom they belong."""

import asyncio
import json
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from chassis.application.acting import tenancy_of
from chassis.runs.scripted import ECHO, MAY_ASK, ask, ended, events_in, listening, parts

from callers import Client
from clients.run_view import RunView, step
from service.chassis.app import Service
from service.chassis.application import run_reading
from service.chassis.application.runs import Runs
from service.chassis.contract import run_streams
from service.chassis.identity import Role, TenantId
from service.chassis.intelligence.gateway import Question
from service.chassis.settings import Settings


async def heard(client: Client, run_id: str, after: int = 0) -> list[dict[str, Any]]:
    headers = {"last-event-id": str(after)} if after else {}
    answer = await client.get(f"/v1/runs/{run_id}/events", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    return events_in(answer.text)


async def test_a_stream_tells_everything_in_order_and_ends_with_the_whole(ana: Client) -> None:
    run_id = await ask(ana, *parts(20))
    events = await heard(ana, run_id)
    assert [each["number"] for each in events] == [*range(1, len(events) + 1)]
    kinds = [each["event"] for each in events]
    assert kinds[:2] == ["state", "state"]
    assert set(kinds[2:-1]) == {"delta"}
    said = "".join(each["text"] for each in events[2:-1])
    assert events[-1] == {
        "event": "final",
        "number": len(events),
        "run": await ended(ana, run_id),
    }
    assert events[-1]["run"]["answer"]["text"] == said


async def test_each_event_has_its_name_and_number_on_the_wire(ana: Client) -> None:
    run_id = await ask(ana, "a\r\nb\u2028c")
    await ended(ana, run_id)
    wire = (await ana.get(f"/v1/runs/{run_id}/events")).text
    for block, event in zip(wire.split("\n\n"), events_in(wire), strict=False):
        assert f"event: {event['event']}" in block.split("\n")
        assert f"id: {event['number']}" in block.split("\n")
    assert wire.isascii()
    assert "\r" not in wire


async def test_it_goes_on_after_any_event(ana: Client) -> None:
    run_id = await ask(ana, *parts(10))
    whole = await heard(ana, run_id)
    for after in range(len(whole)):
        assert await heard(ana, run_id, after) == whole[after:]


async def test_who_heard_the_end_need_not_come_back(ana: Client) -> None:
    """A browser reconnects after every answer but this one."""
    run_id = await ask(ana, "a")
    last = (await heard(ana, run_id))[-1]["number"]
    for number in (last, last + 5):
        headers = {"last-event-id": str(number)}
        answer = await ana.get(f"/v1/runs/{run_id}/events", headers=headers)
        assert (answer.status_code, answer.text) == (204, "")


@pytest.mark.parametrize("sent", ["x", "-1", "1.5", "9" * 20, ""])
async def test_a_place_that_is_none_is_refused(ana: Client, sent: str) -> None:
    run_id = await ask(ana, "a")
    refused = await ana.get(f"/v1/runs/{run_id}/events", headers={"last-event-id": sent})
    assert refused.status_code == 422
    assert refused.json()["code"] == "invalid"


async def test_an_error_in_a_stream_is_the_problem_it_would_be_anywhere(ana: Client) -> None:
    last = (await heard(ana, await ask(ana, "a", {"boom": 1})))[-1]
    elsewhere = (await ana.get("/v1/runs/nonsense")).json()
    assert last["event"] == "error"
    assert last["problem"].keys() == elsewhere.keys() - {"fields"}
    assert last["problem"]["code"] == "internal"
    assert last["run"]["state"] == "failed"


async def test_a_session_that_ends_ends_the_stream_and_not_the_run(
    ana: Client, asking: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking.state.given["credentials"], "_bound", 0.1)
    run_id = await ask(ana, *parts(400, 0.01))
    reading = asyncio.create_task(heard(ana, run_id))
    await asyncio.sleep(0.3)
    assert ana.person
    assert ana.person.granted
    ending = await ana.delete(f"/v1/sessions/{ana.person.granted.session_id}")
    assert ending.status_code == 204
    async with asyncio.timeout(2):
        last = (await reading)[-1]
    assert (last["event"], last["number"], last["run"]) == ("error", None, None)
    assert last["problem"]["code"] == "unauthenticated"


async def test_a_process_that_stops_sends_its_readers_to_another(
    ana: Client, asking: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = await ask(ana, *parts(60, 0.01))
    reading = asyncio.create_task(heard(ana, run_id))
    await asyncio.sleep(0.2)
    with monkeypatch.context() as stopping:
        stopping.setattr(asking.state.given["health"], "draining", True)
        async with asyncio.timeout(2):
            begun = await reading
    assert begun[-1]["problem"]["code"] == "unavailable"
    assert (begun[-1]["number"], begun[-1]["run"]) == (None, None)
    rest = await heard(ana, run_id, begun[-2]["number"])
    assert [each["number"] for each in [*begun[:-1], *rest]] == [*range(1, len(begun) + len(rest))]


async def test_what_was_forgotten_is_in_the_end(ana: Client, runs: Runs) -> None:
    run_id = await ask(ana, *parts(10))
    whole = await heard(ana, run_id)
    runs.pace = replace(runs.pace, kept_seconds=0)
    await ask(ana, "another")
    left = await heard(ana, run_id, 3)
    assert left == whole[-1:]
    view = RunView()
    for event in [*whole[:3], *left]:
        view = step(view, event)
    assert view.text == whole[-1]["run"]["answer"]["text"]


async def test_a_slow_reader_holds_one_page_and_no_connection(
    asking: Service, acme: TenantId, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_reading, "PAGE", 5)
    tenancy = await tenancy_of(asking, acme, Role.EDITOR)
    run_id = (await runs.ask(tenancy, MAY_ASK, Question(ECHO, json.dumps(parts(60))))).id
    async with asyncio.timeout(10):
        while (await run_reading.read_run(tenancy, run_id)).ended_at is None:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.05)
    pool, seen = asking.state.given["database"].engine.pool, 0
    async with aclosing(run_reading.progress(tenancy, run_id, 0)) as looks:
        async for look in looks:
            assert len(look.said) <= 5
            assert pool.checkedout() == 0
            seen += len(look.said)
    assert seen == look.run.last_number - 1 > 5


async def test_a_silent_stream_shows_that_it_lives(
    ana: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_streams, "HEARTBEAT_SECONDS", 0.1)
    run_id = await ask(ana, "a", 1, "b")
    wire = (await ana.get(f"/v1/runs/{run_id}/events")).text
    assert ": ping\n\n" in wire
    assert [each["event"] for each in events_in(wire)][-1] == "final"


async def test_who_leaves_takes_everything_along(
    ana: Client, asking: Service, settings: Settings, runs: Runs
) -> None:
    pool = asking.state.given["database"].engine.pool
    run_id = await ask(ana, *parts(1500, 0.01))
    async with listening(settings, asking.state.given, runs) as url:
        token = ana.person.token if ana.person else ""
        before = len(asyncio.all_tasks())
        async with httpx2.AsyncClient(headers={"authorization": f"Bearer {token}"}) as reader:
            for _ in range(20):
                async with reader.stream("GET", f"{url}/v1/runs/{run_id}/events") as answer:
                    async for line in answer.aiter_lines():
                        if line.startswith("data: ") and json.loads(line[6:])["number"] > 5:
                            break
        await ana.post(f"/v1/runs/{run_id}/cancel")
        await asyncio.sleep(0.6)
        assert len(asyncio.all_tasks()) <= before
    assert pool.checkedout() == 0
