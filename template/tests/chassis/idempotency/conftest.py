"""A service with a feature whose effects can be counted, on a database of its own."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from chassis.idempotency import deeds, refusing

from callers import Client, Person
from dev.database import Server
from service.chassis.app import Service, create_app
from service.chassis.application.database import Database
from service.chassis.application.system import SystemDoor
from service.chassis.application.tenancy import Tenancy
from service.chassis.errors import Unavailable
from service.chassis.identity import Caller, Role, TenantId
from service.chassis.intelligence.gateway import Intelligence, LocalModel, Prompt
from service.chassis.settings import Settings


class PatientModel:
    """Waits for the gate of that name, if there is one; refuses what asks it to."""

    async def answer(self, prompt: Prompt, text: str) -> str:  # noqa: ARG002
        deeds.BEGUN[text].set()
        if text in deeds.GATES:
            await deeds.GATES[text].wait()
        if text.startswith("refuse") and deeds.RUNS[text] < 2:
            raise Unavailable("The model is away.")
        return text


@pytest.fixture(scope="session")
def deeds_name(server: Server, worker: str) -> Generator[str]:
    name = f"deeds_{worker}"
    asyncio.run(server.clone("service_template", name))

    async def extend() -> None:
        connection = await asyncpg.connect(server.admin(name))
        await connection.execute(deeds.TABLE)
        await connection.close()

    asyncio.run(extend())
    yield name
    asyncio.run(server.drop(name))


@pytest.fixture(scope="session")
def deeds_settings(settings: Settings, server: Server, deeds_name: str) -> Settings:
    urls = {
        "url": server.url("service_app", deeds_name),
        "system_url": server.url("service_system", deeds_name),
    }
    # A busy machine is not what these tests are about.
    patient = {"pool_timeout_seconds": 60, "statement_timeout_seconds": 30}
    section = type(settings.database).model_validate({**urls, **patient})
    return settings.model_copy(update={"database": section})


@pytest.fixture(scope="session")
async def app(deeds_settings: Settings) -> AsyncGenerator[Service]:
    app = create_app(
        deeds_settings, [deeds.router, deeds.elsewhere, refusing.router], model=PatientModel()
    )
    async with app.router.lifespan_context(app) as state:
        app.state.given = state
        yield app


@pytest.fixture(scope="session")
def database(app: Service) -> Database:
    database: Database = app.state.given["database"]
    return database


@pytest.fixture(scope="session")
async def door(deeds_settings: Settings) -> AsyncGenerator[SystemDoor]:
    door = SystemDoor(deeds_settings.database)
    yield door
    await door.close()


@pytest.fixture
def what() -> str:
    """A word of this test's own."""
    return f"deed-{uuid4().hex}"


Done = Callable[..., Any]


@pytest.fixture
def done(database: Database, acme: TenantId) -> Done:
    """How often it took effect."""

    async def count(what: str, tenant: TenantId = acme) -> int:
        caller = Caller("counter", tenant, Role.VIEWER)
        return await deeds.done(Tenancy(caller, Intelligence(LocalModel()), database), what)

    return count


@pytest.fixture
def keyed(app: Service, acme: TenantId) -> Done:
    """`keyed("key")` is a client whose every request carries that key."""

    def client(
        key: str, subject: str = "ana", tenant: TenantId = acme, service: Service = app
    ) -> Client:
        person = Person(service, tenant, Role.EDITOR, f"{subject}@example.org")
        return Client(service, person, headers={"idempotency-key": key})

    return client


@pytest.fixture(scope="session")
async def administrator(server: Server, deeds_name: str) -> AsyncGenerator[asyncpg.Connection]:
    connection = await asyncpg.connect(server.admin(deeds_name))
    yield connection
    await connection.close()
