"""An application whose model does as it is told."""

from collections.abc import AsyncGenerator

import pytest
from chassis.runs.scripted import QUICK, Scripted, router

from callers import Client, Person
from service.chassis.app import Service, create_app
from service.chassis.application.database import Database
from service.chassis.application.runs import Runs
from service.chassis.identity import Role, TenantId
from service.chassis.intelligence.gateway import Intelligence
from service.chassis.settings import Settings


@pytest.fixture
async def runs(database: Database) -> AsyncGenerator[Runs]:
    runs = Runs(database, Intelligence(Scripted()), QUICK)
    yield runs
    await runs.stop()


@pytest.fixture
def asking(settings: Settings, app: Service, runs: Runs) -> Service:
    asking = create_app(settings, [router])
    asking.state.given = {**app.state.given, "runs": runs}
    return asking


@pytest.fixture
def ana(asking: Service, acme: TenantId) -> Client:
    return Client(asking, Person(asking, acme, Role.EDITOR))


@pytest.fixture
def bob(asking: Service, acme: TenantId) -> Client:
    """Of the same tenant."""
    return Client(asking, Person(asking, acme, Role.OWNER))


@pytest.fixture
def eve(asking: Service, rival: TenantId) -> Client:
    return Client(asking, Person(asking, rival, Role.OWNER))
