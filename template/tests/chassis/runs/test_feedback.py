"""What somebody thought of an answer: one word for each person and run, theirs to change."""

import asyncio

import pytest
from chassis.application.acting import rows
from chassis.runs.scripted import ask, ended

from callers import Client
from service.chassis.app import Service
from service.chassis.identity import TenantId

GOOD = {"helpful": True}
BAD = {"helpful": False, "reason": "incorrect", "comment": "It is butter, not bread."}


@pytest.fixture
async def feedback_on(ana: Client) -> str:
    run_id = await ask(ana, "Bread.")
    await ended(ana, run_id)
    return f"/v1/runs/{run_id}/feedback"


async def test_the_last_word_counts_and_is_the_only_one(
    ana: Client, asking: Service, acme: TenantId, feedback_on: str
) -> None:
    first = await ana.put(feedback_on, json=GOOD)
    assert first.json().items() >= {"helpful": True, "reason": None, "comment": None}.items()
    for _ in range(2):
        answer = await ana.put(feedback_on, json=BAD)
        assert answer.status_code == 200
        assert answer.json().items() >= BAD.items()
    kept = await rows(asking, acme, "SELECT helpful, reason, comment FROM run_feedback")
    assert kept == [tuple(BAD.values())]


async def test_twenty_at_once_are_one(
    ana: Client, asking: Service, acme: TenantId, feedback_on: str
) -> None:
    said = await asyncio.gather(*(ana.put(feedback_on, json=GOOD) for _ in range(20)))
    assert {each.status_code for each in said} == {200}
    assert await rows(asking, acme, "SELECT count(*) FROM run_feedback") == [(1,)]


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"helpful": "yes"},
        {"helpful": False, "reason": "ugly"},
        {"helpful": False, "comment": "x" * 2001},
        {"helpful": True, "given_by": "somebody"},
    ],
)
async def test_what_is_no_feedback_is_refused(
    ana: Client, feedback_on: str, wrong: dict[str, object]
) -> None:
    assert (await ana.put(feedback_on, json=wrong)).status_code == 422


async def test_only_the_asker_says_what_they_thought(
    bob: Client, eve: Client, asking: Service, acme: TenantId, feedback_on: str
) -> None:
    for other in (bob, eve):
        assert (await other.put(feedback_on, json=GOOD)).status_code == 404
    assert await rows(asking, acme, "SELECT count(*) FROM run_feedback") == [(0,)]
