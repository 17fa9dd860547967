"""Whatever goes wrong before the answer is committed, nothing happened and a retry runs."""

import asyncio
from typing import Any

import pytest
from chassis.idempotency.deeds import BEGUN, GATES, RUNS
from sqlalchemy import text

from callers import Client, Person
from service.chassis.app import Service
from service.chassis.identity import Role, TenantId

PLAIN = "/v1/deeds"


def deed(what: str) -> dict[str, str]:
    return {"what": what}


@pytest.mark.parametrize(("route", "status"), [("refused", 409), ("crashed", 500)])
async def test_a_refusal_or_a_crash_undoes_everything_and_is_not_kept(
    keyed: Any, what: str, done: Any, route: str, status: int
) -> None:
    for run in (1, 2):
        answer = await keyed(what).post(f"{PLAIN}/{route}", json=deed(what))
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert "idempotent-replayed" not in answer.headers
        assert (RUNS[what], await done(what)) == (run, 0)


async def test_what_was_refused_before_it_began_leaves_the_key_free(
    keyed: Any, what: str, done: Any
) -> None:
    wrong = await keyed(what).post(PLAIN, json={"what": 1})
    assert wrong.status_code == 422
    right = await keyed(what).post(PLAIN, json=deed(what))
    assert (right.status_code, await done(what)) == (201, 1)


async def test_who_may_not_write_learns_nothing_of_a_key(
    app: Service, keyed: Any, what: str, acme: TenantId
) -> None:
    await keyed(what).post(PLAIN, json=deed(what))
    viewer = Client(app, Person(app, acme, Role.VIEWER))
    stranger = Client(app, None)
    for client, status in ((viewer, 403), (stranger, 401)):
        head = {"idempotency-key": what}
        answer = await client.post(PLAIN, json=deed(what), headers=head)
        assert answer.status_code == status
        assert what not in answer.text


async def test_a_commit_that_fails_is_no_success(keyed: Any, what: str, done: Any) -> None:
    first = await keyed(what).post(f"{PLAIN}/duplicate", json=deed(what))
    assert first.status_code == 200
    for _ in range(2):
        second = await keyed(f"{what}-2").post(f"{PLAIN}/duplicate", json=deed(what))
        assert (second.status_code, second.json()["code"]) == (500, "internal")
        assert second.headers["x-content-type-options"] == "nosniff"
    assert await done(what) == 1


@pytest.mark.case("C-03")
async def test_an_answer_lost_after_the_commit_is_told_to_the_retry(
    app: Service, keyed: Any, what: str, done: Any, acme: TenantId
) -> None:
    class LostConnectionError(Exception):
        pass

    async def losing(scope: Any, receive: Any, send: Any) -> None:
        async def lost(message: Any) -> None:
            raise LostConnectionError

        await app({**scope, "state": dict(app.state.given)}, receive, lost)

    client = await keyed(what).signed_in()
    transport = client._transport
    transport.app, transport.raise_app_exceptions, whole = losing, True, transport.app
    with pytest.raises(LostConnectionError):
        await client.post(PLAIN, json=deed(what))
    assert (RUNS[what], await done(what)) == (1, 1)
    transport.app = whole
    retry = await client.post(PLAIN, json=deed(what))
    assert (retry.status_code, retry.headers["idempotent-replayed"]) == (201, "true")
    assert retry.json()["what"] == what
    assert (RUNS[what], await done(what)) == (1, 1)


@pytest.mark.case("C-04")
async def test_a_request_cancelled_after_its_effect_leaves_none_and_frees_the_key(
    keyed: Any, what: str, done: Any
) -> None:
    for _ in range(5):
        BEGUN[what].clear()
        request = asyncio.create_task(keyed(what).post(f"{PLAIN}/waiting", json=deed(what)))
        await BEGUN[what].wait()
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        assert await done(what) == 0
    GATES[what].set()
    assert (await keyed(what).post(f"{PLAIN}/waiting", json=deed(what))).status_code == 200
    assert await done(what) == 1


async def test_a_block_that_fails_leaves_nothing_of_itself_and_the_rest_goes_on(
    keyed: Any, what: str, done: Any
) -> None:
    answer = await keyed(what).post(f"{PLAIN}/handled", json=deed(what))
    assert answer.status_code == 200
    assert (await done(what), await done(f"{what} instead")) == (1, 1)


async def test_blocks_side_by_side_and_inside_each_other_take_turns(
    keyed: Any, what: str, done: Any
) -> None:
    answer = await keyed(what).post(f"{PLAIN}/gathered", json=deed(what))
    assert answer.status_code == 200
    assert await done(what) == 6


async def test_what_runs_after_the_answer_has_transactions_of_its_own(
    keyed: Any, what: str, done: Any
) -> None:
    answer = await keyed(what).post(f"{PLAIN}/afterwards", json=deed(what))
    assert (answer.status_code, await done(what)) == (200, 1)
    again = await keyed(what).post(f"{PLAIN}/afterwards", json=deed(what))
    assert (again.content, await done(what)) == (answer.content, 1)


async def test_a_block_that_outlives_its_answer_is_no_success(
    keyed: Any, what: str, done: Any
) -> None:
    answer = await keyed(what).post(f"{PLAIN}/left-open", json=deed(what))
    assert (answer.status_code, await done(what)) == (500, 0)


async def test_a_refusal_in_the_middle_is_on_record_and_waits_for_nothing(
    app: Service, keyed: Any, what: str, done: Any, acme: TenantId
) -> None:
    answer = await keyed(what).post("/v1/refusing", json=deed(what))
    assert (answer.status_code, RUNS[what], await done(what)) == (403, 0, 0)
    async with app.state.given["database"].transaction(acme) as session:
        found = await session.scalars(text("SELECT action FROM audit_log ORDER BY number"))
        recorded = list(found)
    assert recorded[-1] == "authorization.denied"
    assert "deed.done" not in recorded
