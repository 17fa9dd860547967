"""The same request with the same key takes effect once, and is told the same answer."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from chassis.idempotency.deeds import BEGUN, GATES, RUNS

from callers import Client
from service.chassis.identity import TenantId

PLAIN, WAITING = "/v1/deeds", "/v1/deeds/waiting"


def deed(what: str) -> dict[str, str]:
    return {"what": what}


async def test_without_a_key_every_request_takes_effect(ana: Client, what: str, done: Any) -> None:
    answers = [await ana.post(PLAIN, json=deed(what)) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() != answers[1].json()
    assert await done(what) == 2


async def test_a_retry_is_told_the_same_and_runs_nothing(keyed: Any, what: str, done: Any) -> None:
    first = await keyed(what).post(PLAIN, json=deed(what))
    again = await keyed(what).post(PLAIN, json=deed(what))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    for name in ("content-type", "location", "content-length"):
        assert again.headers[name] == first.headers[name]
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert "x-internal" in first.headers
    assert "x-internal" not in again.headers
    assert again.headers["x-trace-id"] != first.headers["x-trace-id"]
    assert RUNS[what] == await done(what) == 1


async def test_an_answer_without_a_body_is_told_again_too(keyed: Any, what: str, done: Any) -> None:
    answers = [await keyed(what).delete(f"/v1/deeds/{what}") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [204, 204, 204]
    assert [answer.content for answer in answers] == [b"", b"", b""]
    assert RUNS[what] == await done(what) == 1


async def test_all_blocks_of_a_request_happen_together(keyed: Any, what: str, done: Any) -> None:
    for _ in range(2):
        assert (await keyed(what).post(f"{PLAIN}/twice", json=deed(what))).status_code == 200
    assert await done(what) == 2


@pytest.mark.case("C-01")
async def test_fifty_at_once_take_effect_once(keyed: Any, what: str, done: Any) -> None:
    async def ask() -> Any:
        return await keyed(what).post(PLAIN, json=deed(what))

    answers = await asyncio.gather(*(ask() for _ in range(50)))
    kinds = Counter(
        (answer.status_code, answer.headers.get("idempotent-replayed")) for answer in answers
    )
    assert kinds[201, None] == 1
    assert set(kinds) <= {(201, None), (201, "true"), (409, None)}
    codes = {answer.json()["code"] for answer in answers if answer.status_code == 409}
    assert codes <= {"in-progress"}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert RUNS[what] == await done(what) == 1


async def test_fifty_keys_at_once_take_effect_fifty_times(keyed: Any, what: str, done: Any) -> None:
    """The same crowd, so that the one above is not held up by something else."""
    answers = [keyed(f"{what}-{number}").post(PLAIN, json=deed(what)) for number in range(50)]
    assert {answer.status_code for answer in await asyncio.gather(*answers)} == {201}
    assert await done(what) == 50


@pytest.mark.case("C-01")
async def test_while_the_first_is_at_work_a_second_hears_so(
    keyed: Any, what: str, done: Any
) -> None:
    first = asyncio.create_task(keyed(what).post(WAITING, json=deed(what)))
    await BEGUN[what].wait()
    async with asyncio.timeout(10):
        second = await keyed(what).post(WAITING, json=deed(what))
    assert (second.status_code, second.json()["code"]) == (409, "in-progress")
    assert second.headers["retry-after"] == "1"
    assert await done(what) == 0, "visible before it was answered"
    GATES[what].set()
    assert (await first).status_code == 200
    third = await keyed(what).post(WAITING, json=deed(what))
    assert third.content == (await first).content
    assert RUNS[what] == await done(what) == 1


@pytest.mark.case("C-02")
@pytest.mark.parametrize("part", ["payload", "query", "type", "path"])
async def test_a_key_stands_for_one_request(keyed: Any, what: str, done: Any, part: str) -> None:
    number = "00000000-0000-4000-8000-00000000000"
    url, body = f"{PLAIN}/{number}1", b'{"what": "%s"}' % what.encode()
    head = {"content-type": "application/json"}
    first = await keyed(what).put(url, content=body, headers=head, params={"a": 1, "b": 2})
    assert first.status_code == 200
    changes: dict[str, Any] = {
        "payload": {"content": body + b" "},
        "query": {"params": {"a": 1, "b": 3}},
        "type": {"headers": {"content-type": "application/json; charset=utf-8"}},
        "path": {"url": f"{PLAIN}/{number}2"},
    }
    request: dict[str, Any] = {
        "url": url,
        "content": body,
        "headers": head,
        "params": {"a": 1, "b": 2},
    }
    other = await keyed(what).put(**{**request, **changes[part]})
    assert (other.status_code, other.json()["code"]) == (422, "key-reused")
    same = await keyed(what).put(**{**request, "params": {"b": 2, "a": 1}})
    assert same.content == first.content
    assert await done(what) == 1


@pytest.mark.case("C-02")
async def test_another_user_tenant_or_route_has_keys_of_its_own(
    keyed: Any, what: str, done: Any, acme: TenantId, rival: TenantId
) -> None:
    others = [
        (keyed(what), PLAIN),
        (keyed(what, subject="bob"), PLAIN),
        (keyed(what, tenant=rival), PLAIN),
        (keyed(what), f"{PLAIN}/twice"),
        (keyed(what), "/v1/elsewhere/deeds"),
    ]
    answers = [await client.post(url, json=deed(what)) for client, url in others]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 200, 201]
    assert not any("idempotent-replayed" in answer.headers for answer in answers)
    assert len({answer.json()["told"] for answer in answers}) == 5
    assert (await done(what), await done(what, rival)) == (5, 1)
    again = [await client.post(url, json=deed(what)) for client, url in others]
    assert [answer.content for answer in again] == [answer.content for answer in answers]


async def test_a_public_route_and_a_safe_method_take_no_notice(keyed: Any, what: str) -> None:
    for _ in range(2):
        answer = await keyed(what).post(f"{PLAIN}/public", json=deed(what))
        assert answer.status_code == 200
    assert RUNS[what] == 2
    assert (await keyed('"').get("/livez")).status_code == 200
