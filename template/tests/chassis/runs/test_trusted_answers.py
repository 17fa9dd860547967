"""What an answer says of itself: nothing that only its model says."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

import pytest
from chassis.application.acting import tenancy_of
from chassis.runs.scripted import ask, ended, events_in

from callers import Client
from service.chassis.app import Service
from service.chassis.application.run_reading import read_run
from service.chassis.errors import NotFound
from service.chassis.identity import Role, TenantId
from service.chassis.intelligence.citations import Source
from service.chassis.intelligence.confidence import Confidence, estimated

HANDBOOK = {"id": "handbook", "title": "The handbook"}
LETTER = {"id": "letter", "title": "A letter of May"}


async def test_an_answer_cites_what_was_retrieved_for_it_each_once(ana: Client) -> None:
    cites = [{"cite": each} for each in ("letter", "handbook", "letter")]
    run_id = await ask(ana, "Bread.", *cites)
    assert (await ended(ana, run_id))["answer"]["citations"] == [HANDBOOK, LETTER]
    final = events_in((await ana.get(f"/v1/runs/{run_id}/events")).text)[-1]
    assert final["run"]["answer"]["citations"] == [HANDBOOK, LETTER]


async def test_what_nobody_retrieved_is_not_cited_but_counted(
    ana: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    made_up = "https://10.0.0.7/made-up"
    run_id = await ask(ana, "Bread.", {"cite": made_up}, {"cite": "handbook"}, {"cite": ""})
    assert (await ended(ana, run_id))["answer"]["citations"] == [HANDBOOK]
    wire = (await ana.get(f"/v1/runs/{run_id}/events")).text
    decision = (await ana.get(f"/v1/runs/{run_id}/decision")).text
    logged = capsys.readouterr().out
    assert logged.count("citation_dropped") == 2
    assert made_up not in wire + decision + logged


async def test_a_number_that_a_model_says_of_itself_is_no_confidence(ana: Client) -> None:
    run_id = await ask(ana, '{"confidence": 0.99}', {"cite": "handbook"})
    answer = (await ended(ana, run_id))["answer"]
    assert answer["text"] == '{"confidence": 0.99}'
    assert answer["confidence"] is None
    assert answer["ai_generated"] is True


async def test_confidence_is_what_the_registered_estimator_measured(ana: Client) -> None:
    measured = {"score": 0.5, "method": "tests.by-citations"}
    run_id = await ask(ana, '{"confidence": 0.99}', {"cite": "handbook"}, path="/measured")
    assert (await ended(ana, run_id))["answer"]["confidence"] == measured
    final = events_in((await ana.get(f"/v1/runs/{run_id}/events")).text)[-1]
    assert final["run"]["answer"]["confidence"] == measured


async def test_half_an_answer_is_not_measured(ana: Client) -> None:
    steps = ["Bread", {"cite": "handbook"}, {"unavailable": 1}]
    shown = await ended(ana, await ask(ana, *steps, path="/measured"))
    assert (shown["state"], shown["answer"]["confidence"]) == ("degraded", None)
    assert shown["answer"]["citations"] == [HANDBOOK]


@dataclass(frozen=True)
class Telling:
    """Says a number, or fails, or hangs."""

    number: float
    name: str = "tests.telling"

    async def score(self, _text: str, _answer: str, _cited: Sequence[Source]) -> float:
        if self.number == 9:
            await asyncio.sleep(60)
        return 0.5 / self.number


@pytest.mark.parametrize("number", [0, 0.1, -1, float("nan"), 9])
async def test_an_estimator_that_fails_costs_the_number_and_not_the_answer(number: float) -> None:
    assert await estimated(Telling(number), 0.1, "text", "answer", ()) is None
    assert await estimated(Telling(1), 0.1, "text", "answer", ()) == Confidence(
        0.5, "tests.telling"
    )


async def test_a_decision_is_on_record_with_what_is_known_of_it(ana: Client) -> None:
    run_id = await ask(ana, "Bread.", {"cite": "letter"}, path="/measured")
    shown = await ended(ana, run_id)
    decision = (await ana.get(f"/v1/runs/{run_id}/decision")).json()
    assert decision.pop("asked_at") <= decision.pop("ended_at")
    assert ana.me.granted
    assert decision == {
        "run_id": run_id,
        "operation": "tests.measured",
        "prompt_version": 7,
        "model": {"name": "scripted", "version": "2026-11"},
        "asked_by": str(ana.me.granted.member_id),
        "state": "succeeded",
        "reason": None,
        "sources": [{**HANDBOOK, "cited": False}, {**LETTER, "cited": True}],
        "confidence": {"score": 0.5, "method": "tests.by-citations"},
        "answer_sha256": sha256(b"Bread.").hexdigest(),
    }
    assert decision["answer_sha256"] == shown["answer"]["sha256"]


async def test_a_decision_holds_no_words_and_what_failed_has_one_too(ana: Client) -> None:
    run_id = await ask(ana, "a secret ", {"cite": "letter"}, {"boom": 1})
    await ended(ana, run_id)
    answer = await ana.get(f"/v1/runs/{run_id}/decision")
    assert "secret" not in answer.text
    decision = answer.json()
    assert (decision["state"], decision["reason"]) == ("failed", "internal")
    assert (decision["answer_sha256"], decision["confidence"]) == (None, None)


async def test_a_decision_is_the_askers_and_no_other_tenants_even_under_the_same_name(
    asking: Service, ana: Client, bob: Client, eve: Client, rival: TenantId
) -> None:
    run_id = await ask(ana, "mine")
    await ended(ana, run_id)
    assert (await ana.get(f"/v1/runs/{run_id}/decision")).status_code == 200
    for other in (bob, eve):
        assert (await other.get(f"/v1/runs/{run_id}/decision")).status_code == 404
    assert ana.me.granted
    namesake = await tenancy_of(asking, rival, Role.OWNER, subject=str(ana.me.granted.member_id))
    with pytest.raises(NotFound):
        await read_run(namesake, UUID(run_id))
