"""Nothing can be touched from outside that the pages of the attack surface do not list."""

import ast
from collections.abc import AsyncGenerator

import asyncpg
import pytest
from fastapi import APIRouter

from dev import surface_code as code
from dev.database import Server
from dev.surface import CHASSIS, PRODUCT, listed, page, surface, unlisted
from service.chassis.contract.guards import public

FIX = "Look at what is new, then run: make surface"


@pytest.fixture
async def connection(server: Server, database_name: str) -> AsyncGenerator[asyncpg.Connection]:
    """In a transaction that is never committed."""
    connection = await asyncpg.connect(server.admin(database_name))
    transaction = connection.transaction()
    await transaction.start()
    yield connection
    await transaction.rollback()
    await connection.close()


@pytest.fixture
def known() -> set[str]:
    return listed(CHASSIS) | listed(PRODUCT)


@pytest.mark.case("O-06")
async def test_the_pages_list_all_that_is_there(
    connection: asyncpg.Connection, known: set[str]
) -> None:
    chassis, product = await surface(connection)
    assert unlisted(chassis, known) + unlisted(product, known) == [], FIX
    assert len(known) > 50


@pytest.mark.case("O-06")
@pytest.mark.parametrize(
    ("change", "line"),
    [
        ("CREATE ROLE service_backup LOGIN", "| `service_backup` | yes |"),
        ("ALTER ROLE service_app BYPASSRLS", "| `service_app` | above the wall! |"),
        ("GRANT service_owner TO service_worker", "| `service_worker` | yes | service_owner |"),
        (
            "GRANT DELETE ON tenants TO service_app",
            "| `service_app` | `tenants` | DELETE, SELECT |",
        ),
        ("GRANT UPDATE (name) ON tenants TO service_app", "| `service_app` | `tenants.name` |"),
        ("CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "| `PUBLIC` | `f()`"),
        ("GRANT CREATE ON SCHEMA public TO PUBLIC", "| `PUBLIC` | `schema public` | CREATE |"),
    ],
)
async def test_a_change_in_the_database_is_noticed(
    connection: asyncpg.Connection, known: set[str], change: str, line: str
) -> None:
    await connection.execute(change)
    chassis, product = await surface(connection)
    new = unlisted(chassis, known) + unlisted(product, known)
    assert len(new) == 1
    assert new[0].startswith(line)


@pytest.mark.case("O-06")
def test_a_new_route_and_a_route_that_opened_are_noticed(known: set[str]) -> None:
    router = APIRouter(dependencies=[public("forgotten")])

    @router.post("/opened")
    async def opened() -> None: ...

    found = {"Routes": code.routes([router])}
    line = "| POST | `/v1/opened` | public: forgotten | everywhere |"
    assert unlisted(found, known) == [line]
    assert unlisted(found, {line.replace("forgotten", "another reason"), *known}) == [line]


WAYS_OUT = {
    "import smtplib": {"smtplib"},
    "from urllib.request import urlopen": {"urllib.request"},
    "from urllib import request": {"urllib.request"},
    "import requests": {"requests"},
    "from openai.types import chat": {"openai"},
    "def f():\n    import redis.asyncio": {"redis"},
    "async def f(loop):\n    await loop.create_connection(None)": {"create_connection"},
    "from asyncio import open_connection": {"open_connection"},
    "import subprocess": {"subprocess"},
    "import json, asyncio": set(),
    "from urllib.parse import quote": set(),
    "from service.chassis.errors import NotFound": set(),
    "from fastapi import APIRouter": set(),
}


@pytest.mark.case("O-06")
@pytest.mark.parametrize("source", WAYS_OUT)
def test_a_module_that_could_talk_to_somebody_is_noticed(source: str) -> None:
    assert code.ways_out(ast.parse(source)) == WAYS_OUT[source]


@pytest.mark.case("O-06")
@pytest.mark.parametrize(
    "source", ["import uvicorn", "asyncio.start_server(f)", "import http.server"]
)
def test_a_module_that_listens_is_noticed(source: str) -> None:
    assert code.listeners(ast.parse(source))
    assert not code.listeners(ast.parse("import asyncio"))


def test_a_secret_counts_however_it_is_declared() -> None:
    secrets = {row[0] for row in code.secrets()}
    assert {"`TENANCY_KEY`", "`DATABASE_SYSTEM_URL`", "`VALKEY_URL`"} <= secrets
    assert "`HTTP_PORT`" not in secrets


async def test_a_listed_line_that_is_gone_does_no_harm_and_a_new_page_drops_it(
    connection: asyncpg.Connection, known: set[str]
) -> None:
    chassis, product = await surface(connection)
    gone = "| GET | `/v1/gone` | `gone:read` | everywhere |"
    assert unlisted(chassis, {gone, *known}) + unlisted(product, {gone, *known}) == []
    assert gone not in page(CHASSIS, chassis) + page(PRODUCT, product)
