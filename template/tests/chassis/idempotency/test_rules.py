"""Keys have a form, an age and a number; some answers are not kept."""

import time
from functools import partial
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from chassis.idempotency import deeds
from chassis.idempotency.deeds import RUNS
from starlette.types import Receive, Scope, Send

from callers import Client
from service.chassis.app import Service, create_app
from service.chassis.application.remembered import PURGED_AT_ONCE
from service.chassis.contract.idempotency import Idempotency
from service.chassis.identity import TenantId
from service.chassis.settings import Settings

PLAIN = "/v1/deeds"


def deed(what: str) -> dict[str, str]:
    return {"what": what}


@pytest.mark.case("R-09")
@pytest.mark.parametrize(
    "key",
    ["a", "k" * 255, f'"{"k" * 255}"', '"with space, and; more"', r'"\"\\"', "!#$%&'*+-.^_`|~:/=@"],
)
async def test_a_key_of_any_printable_form_works(
    keyed: Any, what: str, done: Any, key: str
) -> None:
    for _ in range(2):
        assert (await keyed(key).post(PLAIN, json=deed(what))).status_code == 201
    assert await done(what) == 1


@pytest.mark.case("R-09")
@pytest.mark.parametrize(
    "key",
    [
        *("", " ", '""', "k" * 256, f'"{"k" * 256}"', '"', '"a', 'a"', "a b", "a,b", "a;b=1"),
        *('"a";b=1', '"a", "b"', r'"\a"', "\x7f", "\x01", "a\tb", "\xe9", "k" * 60_000),
    ],
)
async def test_garbage_is_refused_before_anything_runs(
    keyed: Any, what: str, done: Any, key: str
) -> None:
    client = keyed("replaced")
    del client.headers["idempotency-key"]
    head = [(b"idempotency-key", key.encode("latin-1"))]
    answer = await client.post(PLAIN, json=deed(what), headers=head)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert (RUNS[what], await done(what)) == (0, 0)


async def test_two_keys_are_none(keyed: Any, what: str) -> None:
    head = [(b"idempotency-key", b"first"), (b"idempotency-key", b"second")]
    client = keyed("replaced")
    del client.headers["idempotency-key"]
    assert (await client.post(PLAIN, json=deed(what), headers=head)).status_code == 400
    assert RUNS[what] == 0


async def test_a_quoted_key_and_a_bare_one_are_the_same(keyed: Any, what: str, done: Any) -> None:
    for key in (what, f'"{what}"'):
        assert (await keyed(key).post(PLAIN, json=deed(what))).status_code == 201
    assert await done(what) == 1


@pytest.mark.parametrize("route", ["required", "required-late"])
async def test_a_route_that_wants_a_key_says_so_to_whom_it_may_concern(
    ana: Client, client_for: Any, keyed: Any, what: str, route: str
) -> None:
    url = f"{PLAIN}/{route}"
    without = await ana.post(url, json=deed(what))
    assert (without.status_code, without.json()["code"]) == (400, "key-required")
    assert (await client_for(None).post(url, json=deed(what))).status_code == 401
    assert (await keyed(what).post(url, json=deed(what))).status_code == 200


async def test_the_openapi_document_tells_of_the_key_where_it_has_an_effect(app: Service) -> None:
    found = {
        (path, method): parameter["required"]
        for path, methods in app.openapi()["paths"].items()
        for method, operation in methods.items()
        for parameter in operation.get("parameters", ())
        if parameter["name"] == "Idempotency-Key"
    }
    assert found["/v1/deeds", "post"] is False
    assert found["/v1/deeds/{deed_id}", "put"] is False
    assert found["/v1/deeds/required", "post"] is True
    assert ("/v1/deeds/public", "post") not in found
    assert {method for _, method in found} == {"post", "put", "delete"}


@pytest.mark.parametrize("route", ["secret", "cookie", "large", "streamed"])
async def test_a_secret_a_cookie_a_stream_and_a_large_answer_are_not_kept(
    keyed: Any, what: str, done: Any, administrator: asyncpg.Connection, route: str
) -> None:
    first = await keyed(what).post(f"{PLAIN}/{route}", json=deed(what))
    assert first.status_code == 200
    again = await keyed(what).post(f"{PLAIN}/{route}", json=deed(what))
    assert (again.status_code, again.json()["code"]) == (409, "unrepeatable")
    assert again.json()["detail"].startswith("This was done;")
    assert await done(what) == 1
    kept = await administrator.fetchval(
        "SELECT count(*) FROM idempotency_keys WHERE strpos(convert_from(body, 'UTF8'), $1) > 0",
        what,
    )
    assert kept == 0


async def test_a_stream_begins_after_its_effect_is_committed(keyed: Any, what: str) -> None:
    answer = await keyed(what).post(f"{PLAIN}/streamed", json=deed(what))
    assert answer.text == "data: 1\n\n" * 3


@pytest.fixture
def expire(administrator: asyncpg.Connection, acme: TenantId) -> Any:
    """Leaves the keys of a tenant that long to live."""

    async def run(left: str, tenant: TenantId = acme) -> None:
        await administrator.execute(
            f"UPDATE idempotency_keys SET expires_at = now() + interval '{left}' "
            "WHERE tenant_id = $1",
            tenant,
        )

    run.tenant = acme  # type: ignore[attr-defined]
    return run


@pytest.mark.case("C-05")
@pytest.mark.parametrize(("left", "runs"), [("1 minute", 1), ("0 seconds", 2), ("-1 day", 2)])
async def test_a_key_is_remembered_until_it_expires(
    keyed: Any, what: str, expire: Any, left: str, runs: int
) -> None:
    for _ in range(2):
        assert (await keyed(what).post(PLAIN, json=deed(what))).status_code == 201
    assert RUNS[what] == 1
    await expire(left)
    other = f"{what} changed" if runs == 2 else what
    assert (await keyed(what).post(PLAIN, json=deed(other))).status_code == 201
    assert RUNS[what] + RUNS[f"{what} changed"] == runs
    again = await keyed(what).post(PLAIN, json=deed(other))
    assert again.headers["idempotent-replayed"] == "true"


@pytest.mark.case("C-05")
async def test_a_key_lives_as_long_as_the_setting_says(
    keyed: Any, what: str, administrator: asyncpg.Connection, acme: TenantId, settings: Settings
) -> None:
    await keyed(what).post(PLAIN, json=deed(what))
    hours = await administrator.fetchval(
        "SELECT extract(epoch FROM expires_at - created_at) / 3600 FROM idempotency_keys "
        "WHERE tenant_id = $1",
        acme,
    )
    assert hours == settings.http.idempotency_hours == 24


async def test_each_new_key_clears_away_a_few_old_ones_of_its_tenant(
    keyed: Any, what: str, expire: Any, administrator: asyncpg.Connection, rival: TenantId
) -> None:
    count = "SELECT count(*) FROM idempotency_keys WHERE tenant_id = $1"
    for number in range(PURGED_AT_ONCE + 2):
        await keyed(f"{what}-{number}").post(PLAIN, json=deed(what))
    await keyed(what, tenant=rival).post(PLAIN, json=deed(what))
    await expire("-1 second")
    await expire("-1 second", rival)
    for left in (3, 2):
        await keyed(f"{what}-new-{left}").post(PLAIN, json=deed(what))
        assert await administrator.fetchval(count, expire.tenant) == left
    assert await administrator.fetchval(count, rival) == 1


@pytest.fixture
def thrifty(app: Service, deeds_settings: Settings, keyed: Any) -> Any:
    """Clients of a service that remembers three keys for each caller."""
    http = app.settings.http.model_copy(update={"idempotency_keys": 3})
    service = create_app(deeds_settings.model_copy(update={"http": http}), [deeds.router])
    service.state.given = app.state.given
    return partial(keyed, service=service)


@pytest.mark.case("R-09")
async def test_a_flood_of_keys_is_bounded_for_its_caller_alone(
    thrifty: Any, what: str, done: Any, expire: Any
) -> None:
    answers = [await thrifty(f"{what}-{n}").post(PLAIN, json=deed(what)) for n in range(5)]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 429, 429]
    assert answers[-1].json()["code"] == "too-many-keys"
    assert answers[-1].headers["retry-after"] == "3600"
    replayed = await thrifty(f"{what}-0").post(PLAIN, json=deed(what))
    assert (replayed.status_code, replayed.content) == (201, answers[0].content)
    bob = await thrifty(f"{what}-9", subject="bob").post(PLAIN, json=deed(what))
    assert (bob.status_code, await done(what)) == (201, 4)
    await expire("-1 second")
    assert (await thrifty(f"{what}-4").post(PLAIN, json=deed(what))).status_code == 201


@pytest.mark.parametrize("told", [True, False])
async def test_a_large_body_is_refused_as_it_is_without_a_key(
    keyed: Any, what: str, settings: Settings, *, told: bool
) -> None:
    async def chunks() -> Any:
        for _ in range(settings.http.max_body_bytes // 1000 + 1):
            yield b"x" * 1000

    content = b"x" * (settings.http.max_body_bytes + 1) if told else chunks()
    answer = await keyed(what).post(PLAIN, content=content)
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


async def test_a_request_without_the_header_pays_one_look(app: Service) -> None:
    async def nothing(scope: Scope, receive: Receive, send: Send) -> None: ...

    layer: Any = Idempotency(nothing, app.settings.http)
    head = [(str(uuid4()).encode(), b"x")] * 8
    scope = {"type": "http", "method": "POST", "headers": head}
    bare = await timed(nothing, scope)
    assert await timed(layer, scope) - bare < 20e-6


async def timed(app: Any, scope: Any) -> float:
    """Seconds of CPU for one call, the least of several rounds."""
    rounds = []
    for _ in range(5):
        began = time.process_time()
        for _ in range(2000):
            await app(scope, None, None)
        rounds.append((time.process_time() - began) / 2000)
    return min(rounds)
