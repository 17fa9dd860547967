"""A tenant takes its whole record along: bounded memory, on record, and checked by anybody."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from chassis.application.acting import tenancy_of
from chassis.contract.chain import broken_at
from chassis.contract.limited import Limiting, assert_refused
from fastapi import APIRouter
from sqlalchemy import event, text
from sqlalchemy.pool import QueuePool

from callers import Client, ClientFor
from service.chassis.app import Service
from service.chassis.application import audit_export
from service.chassis.application.audit import LAST, Actor, record
from service.chassis.application.database import Database
from service.chassis.identity import Role, TenantId

PATH = "/v1/audit/export"
# What JSON, Postgres and spreadsheets spell in ways of their own.
ODD = ('"quoted"', "back\\slash", "new\nline\t\x01\x1f\x7f", "Zoë 💶 \u2028", "</script>", "a,b;c")
FORMULA = '=HYPERLINK("http://evil.example")'


@pytest.fixture
async def owner(client_for: ClientFor, acme: TenantId) -> Client:
    return await client_for(acme, Role.OWNER).signed_in()


async def written(database: Database, tenant: TenantId, *details: str) -> None:
    async with database.transaction(tenant) as session:
        for detail in details:
            await record(session, Actor("somebody", "192.0.2.1"), "x", "y", detail)


async def exported(client: Client, query: str = "") -> list[dict[str, Any]]:
    answer = await client.get(f"{PATH}{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    return [json.loads(line) for line in answer.text.splitlines()]


async def table(client: Client, query: str = "") -> list[dict[str, str]]:
    answer = await client.get(f"{PATH}?format=csv{query}")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


async def test_the_chain_of_an_export_can_be_followed_with_nothing_but_the_file(
    owner: Client, acme: TenantId, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_export, "PAGE", 3)
    await written(database, acme, *ODD, *ODD)
    lines = (await owner.get(PATH)).text.split("\n")[:-1]
    rows = [json.loads(line) for line in lines]
    assert [row["number"] for row in rows] == list(range(1, 2 + len(ODD) * 2 + 1))
    assert [row["detail"] for row in rows[1:-1]] == [*ODD, *ODD]
    assert rows[0]["previous"] == ""
    assert broken_at(lines) is None
    assert broken_at(lines[4:]) is None
    verdict = (await owner.get("/v1/audit/verdict")).json()
    assert (verdict["lines"], verdict["head"]) == (rows[-1]["number"], rows[-1]["hash"])


CHANGED = {"number": 99, "at": "2026-01-01T00:00:00Z", "id": "0" * 8}
FIELDS = ("tenant_id", "id", "number", "at", "actor", "action", "target", "address", "trace_id")


@pytest.mark.parametrize("field", [*FIELDS, "detail", "previous", "hash"])
async def test_whatever_is_changed_in_the_file_is_noticed(
    owner: Client, acme: TenantId, database: Database, field: str
) -> None:
    await written(database, acme, *ODD)
    rows = await exported(owner)
    rows[3][field] = CHANGED.get(field, "00")
    assert broken_at(map(json.dumps, rows)) == rows[3]["number"]
    del rows[3]
    assert broken_at(map(json.dumps, rows)) == 5


async def test_an_export_is_on_record_exactly_once_and_ends_with_that_row(
    owner: Client, acme: TenantId, database: Database
) -> None:
    await written(database, acme, *ODD)
    answer = await owner.get(PATH)
    last = json.loads(answer.text.splitlines()[-1])
    assert owner.me.granted
    assert last["action"] == "audit.exported"
    assert last["actor"] == str(owner.me.granted.member_id)
    assert (last["address"], last["trace_id"]) == ("127.0.0.1", answer.headers["x-trace-id"])
    async with database.transaction(acme) as session:
        counted = "SELECT count(*) FROM audit_log WHERE action = 'audit.exported'"
        assert await session.scalar(text(counted)) == 1


async def test_what_is_written_meanwhile_makes_no_export_longer(
    app: Service, acme: TenantId, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_export, "PAGE", 2)
    tenancy = await tenancy_of(app, acme, Role.ADMIN)
    export = await audit_export.begin_export(tenancy, 1, LAST, "csv")
    numbers: list[int] = []
    async for page in audit_export.pages(tenancy, export):
        assert len(numbers) < 2, "it never ends"
        await written(database, acme, *ODD)
        numbers += [row.number for row in page]
    assert numbers == [1, 2]


async def test_who_may_not_read_the_record_exports_nothing(
    client_for: ClientFor, acme: TenantId, database: Database
) -> None:
    for role in (Role.VIEWER, Role.EDITOR):
        assert (await client_for(acme, role).get(PATH)).status_code == 403
    assert (await client_for(None).get(PATH)).status_code == 401
    async with database.transaction(acme) as session:
        counted = "SELECT count(*) FROM audit_log WHERE action = 'audit.exported'"
        assert await session.scalar(text(counted)) == 0


async def test_no_row_of_a_rival_is_in_it(
    owner: Client, acme: TenantId, rival: TenantId, database: Database
) -> None:
    await written(database, rival, "of the rival")
    await written(database, acme, "of acme")
    await written(database, rival, "of the rival")
    shown = await exported(owner)
    assert {row["tenant_id"] for row in shown} == {str(acme)}
    assert [row["detail"] for row in shown if row["action"] == "x"] == ["of acme"]
    assert {row["tenant_id"] for row in await table(owner)} == {str(acme)}


@pytest.mark.case("V-16")
async def test_a_cell_is_text_and_never_a_formula(owner: Client) -> None:
    asked = {"name": FORMULA, "role": "viewer", "scopes": ["notes:read"], "days": 1}
    assert (await owner.post("/v1/api-keys", json=asked)).status_code == 201
    (cell,) = [row["detail"] for row in await table(owner) if row["action"] == "api_key.created"]
    assert cell == f"'{FORMULA}"
    (line,) = [row for row in await exported(owner) if row["action"] == "api_key.created"]
    assert line["detail"] == FORMULA, "as it is, where nothing runs it"


async def test_both_forms_say_the_same(
    owner: Client, acme: TenantId, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_export, "PAGE", 2)
    await written(database, acme, *ODD)
    plain, cells = await exported(owner, "?to=7"), await table(owner, "&to=7")
    assert [{name: str(value) for name, value in row.items()} for row in plain] == cells
    assert len(cells) == 7


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("?from=3&to=5", [3, 4, 5]),
        ("?from=6", [6, 7, 8]),
        ("?to=1", [1]),
        ("?from=5&to=5", [5]),
        ("?from=500", []),
        ("?from=5&to=4", []),
    ],
)
async def test_the_bounds_are_what_was_asked_for(
    owner: Client, acme: TenantId, database: Database, query: str, numbers: list[int]
) -> None:
    await written(database, acme, *ODD)
    assert [row["number"] for row in await exported(owner, query)] == numbers


@pytest.mark.parametrize("query", ["?from=0", "?to=x", "?format=xml", "?since=1"])
async def test_what_cannot_be_exported_is_a_problem_that_names_the_field(
    owner: Client, query: str
) -> None:
    answer = await owner.get(f"{PATH}{query}")
    assert answer.status_code == 422
    assert answer.json()["fields"][0]["field"].startswith("query.")


@pytest.mark.parametrize("form", ["ndjson", "csv"])
async def test_one_page_is_in_memory_at_a_time_and_no_transaction_waits_for_the_reader(
    owner: Client,
    acme: TenantId,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    form: str,
) -> None:
    monkeypatch.setattr(audit_export, "PAGE", 4)
    await written(database, acme, *ODD, *ODD, *ODD)
    reads: list[str] = []

    def read(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        reads.extend([statement] * ("ORDER BY audit_log.number \n" in statement))

    event.listen(database.engine.sync_engine, "before_cursor_execute", read)
    parts = await sent(owner, form, lambda: (len(reads), held_by(database)))
    event.remove(database.engine.sync_engine, "before_cursor_execute", read)
    pages = [part for part in parts if part[0]]
    assert pages == [(4, (page, 0)) for page in range(1, 6)]


def held_by(database: Database) -> int:
    """Connections that somebody has."""
    pool = database.engine.pool
    assert isinstance(pool, QueuePool)
    return pool.checkedout()


async def sent(owner: Client, form: str, seen: Callable[[], object]) -> list[tuple[int, object]]:
    """Of each part as it leaves: how many rows are in it, and what is seen at that moment."""
    app, parts = owner.me.app, []

    async def served(scope: Any, receive: Any, send: Any) -> None:
        async def noted(message: Any) -> None:
            parts.append((message.get("body", b"").count(str(owner.me.tenant_id).encode()), seen()))
            await send(message)

        await app({**scope, "state": dict(app.state.given)}, receive, noted)

    headers = {"authorization": f"Bearer {owner.me.token}"}
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(served), headers=headers) as one:
        assert (await one.get(f"http://service{PATH}?format={form}")).status_code == 200
    return parts


async def test_the_limits_hold_for_exports(limiting: Limiting, acme: TenantId) -> None:
    limited = await limiting(APIRouter(), account_per_minute=3)
    owner = limited.member(acme)
    assert [(await owner.get(PATH)).status_code for _ in range(3)] == [200] * 3
    assert_refused(await owner.get(PATH))


async def test_the_document_names_both_forms(owner: Client) -> None:
    operation = owner.me.app.openapi()["paths"][PATH]["get"]
    assert set(operation["responses"]["200"]["content"]) == {"application/x-ndjson", "text/csv"}
    names = {each["name"]: each["schema"] for each in operation["parameters"]}
    assert set(names) == {"format", "from", "to"}
