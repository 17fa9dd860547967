"""A request that asks a model commits first; its key stays claimed until it is answered."""

import asyncio
from typing import Any

import asyncpg
import pytest
from chassis.idempotency.deeds import BEGUN, GATES, RUNS

from service.chassis.identity import TenantId

ASKED, READ_AND_ASKED = "/v1/deeds/asked", "/v1/deeds/read-and-asked"
IN_TRANSACTION = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND xact_start < now()"
LATER = "UPDATE idempotency_keys SET claimed_until = now() - interval '1 s' WHERE tenant_id = $1"


def deed(what: str) -> dict[str, str]:
    return {"what": what}


@pytest.mark.parametrize("url", [ASKED, READ_AND_ASKED])
async def test_a_retry_is_told_what_the_model_helped_to_say(
    keyed: Any, what: str, done: Any, url: str
) -> None:
    answers = [await keyed(what).post(url, json=deed(what)) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[1].content == answers[0].content
    assert answers[1].headers["idempotent-replayed"] == "true"
    assert RUNS[what] == 1
    assert await done(what) == (2 if url == ASKED else 1)


@pytest.mark.parametrize("url", [ASKED, READ_AND_ASKED])
async def test_no_transaction_waits_for_a_model_and_the_key_is_claimed(
    keyed: Any, what: str, administrator: asyncpg.Connection, deeds_name: str, url: str
) -> None:
    _ = GATES[what]
    first = asyncio.create_task(keyed(what).post(url, json=deed(what)))
    await BEGUN[what].wait()
    assert await administrator.fetchval(IN_TRANSACTION, deeds_name) == 0
    for _ in range(2):
        async with asyncio.timeout(10):
            second = await keyed(what).post(url, json=deed(what))
        assert (second.status_code, second.json()["code"]) == (409, "in-progress")
    other = await keyed(what).post(url, json=deed("other"))
    assert other.json()["code"] == "key-reused"
    GATES[what].set()
    assert (await first).status_code == 200
    assert RUNS[what] == 1


async def test_a_model_that_refuses_frees_the_key_if_nothing_was_done(
    keyed: Any, what: str, done: Any
) -> None:
    what = f"refuse-{what}"
    answers = [await keyed(what).post(READ_AND_ASKED, json=deed(what)) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 200, 200]
    assert (RUNS[what], await done(what)) == (2, 1)


async def test_a_model_that_refuses_after_an_effect_leaves_its_answer_for_the_retry(
    keyed: Any, what: str, done: Any
) -> None:
    """What is committed cannot be undone; running again would do it twice."""
    what = f"refuse-{what}"
    answers = [await keyed(what).post(ASKED, json=deed(what)) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 503]
    assert answers[2].content == answers[0].content
    assert (RUNS[what], await done(what)) == (1, 1)


async def interrupted(keyed: Any, what: str, url: str) -> None:
    _ = GATES[what]
    request = asyncio.create_task(keyed(what).post(url, json=deed(what)))
    await BEGUN[what].wait()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    GATES[what].set()


@pytest.mark.case("C-04")
async def test_interrupted_at_the_model_before_any_effect_it_runs_again_when_the_claim_ends(
    keyed: Any, what: str, done: Any, administrator: asyncpg.Connection, acme: TenantId
) -> None:
    await interrupted(keyed, what, READ_AND_ASKED)
    early = await keyed(what).post(READ_AND_ASKED, json=deed(what))
    assert early.json()["code"] == "in-progress"
    await administrator.execute(LATER, acme)
    retry = await keyed(what).post(READ_AND_ASKED, json=deed(what))
    assert (retry.status_code, RUNS[what], await done(what)) == (200, 2, 1)


@pytest.mark.case("C-04")
async def test_interrupted_at_the_model_after_an_effect_it_never_runs_again(
    keyed: Any, what: str, done: Any, administrator: asyncpg.Connection, acme: TenantId
) -> None:
    await interrupted(keyed, what, ASKED)
    await administrator.execute(LATER, acme)
    for _ in range(2):
        retry = await keyed(what).post(ASKED, json=deed(what))
        assert (retry.status_code, retry.json()["code"]) == (409, "unrepeatable")
        assert "interrupted" in retry.json()["detail"]
    assert (RUNS[what], await done(what)) == (1, 1)


async def test_who_lost_the_claim_while_asking_takes_no_effect(
    keyed: Any, what: str, done: Any, administrator: asyncpg.Connection, acme: TenantId
) -> None:
    gate = GATES[what]
    slow = asyncio.create_task(keyed(what).post(READ_AND_ASKED, json=deed(what)))
    await BEGUN[what].wait()
    await administrator.execute(LATER, acme)
    BEGUN[what].clear()
    taker = asyncio.create_task(keyed(what).post(READ_AND_ASKED, json=deed(what)))
    await BEGUN[what].wait()
    gate.set()
    answers = [await slow, await taker]
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert answers[0].json()["code"] == "in-progress"
    assert (RUNS[what], await done(what)) == (2, 1)
