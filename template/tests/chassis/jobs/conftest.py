"""Whoever implements the port, and what tests of jobs ask often."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from typing import Any

import asyncpg
import pytest
from chassis.jobs.asking import Asker
from chassis.jobs.implementations import IMPLEMENTATIONS, Hand, Implementation, working

from dev.database import Server
from service.chassis.app import Service
from service.chassis.identity import TenantId
from service.chassis.jobs_settings import JobsSettings

AskerIn = Callable[..., Awaitable[Asker]]


@pytest.fixture(scope="module", params=list(IMPLEMENTATIONS))
def implementation(
    request: pytest.FixtureRequest, environment: Mapping[str, str]
) -> Implementation:
    return IMPLEMENTATIONS[request.param](environment)


@pytest.fixture(scope="module")
def a_worker(implementation: Implementation) -> Generator[Hand]:
    """One that is there all the time."""
    with working(implementation) as hand:
        yield hand


@pytest.fixture
def asker_in(app: Service, implementation: Implementation) -> AskerIn:
    async def asker(tenant: TenantId, **bounds: Any) -> Asker:
        return await Asker.of(app, tenant, implementation.jobs(JobsSettings(**bounds)))

    return asker


@pytest.fixture
async def ana_asks(asker_in: AskerIn, acme: TenantId) -> Asker:
    return await asker_in(acme)


@pytest.fixture
async def ben_asks(asker_in: AskerIn, rival: TenantId) -> Asker:
    """Of acme's rival."""
    return await asker_in(rival)


@pytest.fixture
async def queue(server: Server, database_name: str) -> AsyncGenerator[asyncpg.Connection]:
    """As the worker sees it."""
    url, seen = server.url("service_worker", database_name), {"search_path": "queue"}
    connection = await asyncpg.connect(url, server_settings=seen)
    yield connection
    await connection.close()


@pytest.fixture
async def waiting(queue: asyncpg.Connection) -> int:
    """How many tickets other tests have left there."""
    found = await queue.fetchval("SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'")
    return int(found)
