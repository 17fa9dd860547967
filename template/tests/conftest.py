"""Owned by the template: a real database for every test worker, and clients that sign in.

One Postgres and one Valkey for the whole run; the migrated template database is cloned for each
worker. Tests do not clean up after themselves: each works in tenants of its own.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from sqlalchemy import text

from agreed import AGREED
from callers import KEY, Client, ClientFor, Person, Suspend
from dev.database import LOGINS, Server, create_and_migrate
from dev.services import Services, running
from service.chassis.app import Service, create_app
from service.chassis.application.capability import CapabilityKey
from service.chassis.application.database import Database
from service.chassis.application.keys import install_key
from service.chassis.application.system import SystemDoor, create_tenant
from service.chassis.identity import Role, TenantId
from service.chassis.settings import Settings
from service.product import FEATURES

EXAMPLE = Path(__file__).parents[1] / "src" / "service" / "product" / "notes" / "__init__.py"
TEMPLATE = "service_template"
PASSWORDS = dict.fromkeys(LOGINS, "password-of-a-test")
# All tests come from one address, faster than any customer; those of limits set their own.
UNLIMITED = {
    "LIMITS_ADDRESS_PER_MINUTE": "1000000",
    "LIMITS_ACCOUNT_PER_MINUTE": "1000000",
    "LIMITS_TENANT_PER_MINUTE": "standard=1000000",
    "LIMITS_TENANT_CONCURRENCY": "1000",
    "LIMITS_STRAYS_PER_MINUTE": "1000000",
    "LIMITS_MODEL_CALLS_PER_MINUTE": "1000000",
    "LIMITS_SIGN_INS_PER_HOUR": "1000000",
}
SERVICES = pytest.StashKey[Services]()
STACK = pytest.StashKey[ExitStack]()


def pytest_configure(config: pytest.Config) -> None:
    """Once for the run; xdist's workers are told where to find it."""
    if hasattr(config, "workerinput"):
        config.stash[SERVICES] = Services(**config.workerinput["services"])
        return
    config.stash[STACK] = ExitStack()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is shown with the example's routes is gone with the example, as its own tests are."""
    if EXAMPLE.exists():
        return
    gone = [item for item in items if item.get_closest_marker("example")]
    config.hook.pytest_deselected(items=gone)
    items[:] = [item for item in items if item not in gone]


def pytest_sessionstart(session: pytest.Session) -> None:
    config = session.config
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    folder = Path(config.stash[STACK].enter_context(TemporaryDirectory()))
    services = config.stash[STACK].enter_context(running(folder, disposable=True))
    config.stash[SERVICES] = services
    create_and_migrate(Server(services.admin_url, PASSWORDS), TEMPLATE)
    migrator = Server(services.admin_url, PASSWORDS).url("service_migrator", TEMPLATE)
    asyncio.run(install_key(migrator, CapabilityKey("k1", KEY.encode(), 60)))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    services = node.config.stash[SERVICES]
    node.workerinput["services"] = {
        "admin_url": services.admin_url,
        "valkey_url": services.valkey_url,
    }


def pytest_unconfigure(config: pytest.Config) -> None:
    if STACK in config.stash:
        config.stash[STACK].close()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def services(pytestconfig: pytest.Config) -> Services:
    return pytestconfig.stash[SERVICES]


@pytest.fixture(scope="session")
def server(services: Services) -> Server:
    return Server(services.admin_url, PASSWORDS)


@pytest.fixture(scope="session")
def worker() -> str:
    return os.environ.get("PYTEST_XDIST_WORKER", "alone")


@pytest.fixture(scope="session")
def database_name(server: Server, worker: str) -> Generator[str]:
    """This worker's own database."""
    name = f"service_{worker}"
    asyncio.run(server.clone(TEMPLATE, name))
    yield name
    asyncio.run(server.drop(name))


@pytest.fixture(scope="session")
def outbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the service's letters lie."""
    return tmp_path_factory.mktemp("outbox")


@pytest.fixture(scope="session")
def environment(
    server: Server, database_name: str, services: Services, outbox: Path
) -> Mapping[str, str]:
    """What an operator would set."""
    return {
        "SERVICE_ENVIRONMENT": "development",
        "DATABASE_URL": server.url("service_app", database_name),
        "DATABASE_QUEUE_URL": server.url("service_worker", database_name),
        "DATABASE_SYSTEM_URL": server.url("service_system", database_name),
        "VALKEY_URL": services.valkey_url,
        "TENANCY_KEY": KEY,
        "HTTP_CURSOR_KEY": KEY,
        "IDENTITY_SIGNING_KEY": KEY,
        **UNLIMITED,
        "ACCOUNTS_ENABLED": "true",
        "ACCOUNTS_MAIL_URL": f"file:{outbox}",
    }


@pytest.fixture(scope="session")
def settings(environment: Mapping[str, str]) -> Settings:
    sections: dict[str, dict[str, str]] = {}
    for name, value in environment.items():
        section, _, field = name.lower().partition("_")
        sections.setdefault(section, {})[field] = value
    return Settings.model_validate(sections)


@pytest.fixture(scope="session")
async def app(settings: Settings) -> AsyncGenerator[Service]:
    app = create_app(settings, FEATURES)
    AGREED.learn(app.openapi())
    async with app.router.lifespan_context(app) as state:
        app.state.given = state
        yield app


@pytest.fixture(scope="session")
def database(app: Service) -> Database:
    database: Database = app.state.given["database"]
    return database


@pytest.fixture(scope="session")
async def door(settings: Settings) -> AsyncGenerator[SystemDoor]:
    door = SystemDoor(settings.database)
    yield door
    await door.close()


@pytest.fixture
def client_for(app: Service) -> ClientFor:
    """`client_for(tenant, Role.VIEWER)` is signed in; `client_for(None)` is a stranger."""

    def client(tenant: TenantId | None, role: Role = Role.EDITOR) -> Client:
        return Client(app, Person(app, tenant, role) if tenant else None)

    return client


@pytest.fixture
async def acme(door: SystemDoor) -> TenantId:
    return await create_tenant(door, actor="tests", name="acme")


@pytest.fixture
async def rival(door: SystemDoor) -> TenantId:
    return await create_tenant(door, actor="tests", name="rival")


@pytest.fixture
def suspend(door: SystemDoor) -> Suspend:
    """`await suspend(tenant)`, and `await suspend(tenant, back=True)`."""

    async def changed(tenant: TenantId, *, back: bool = False) -> None:
        since = "NULL" if back else "now()"
        async with door.open(actor="tests", reason="suspend or resume") as session:
            statement = text(f"UPDATE tenants SET suspended_at = {since} WHERE id = :id")
            await session.execute(statement, {"id": tenant})

    return changed


@pytest.fixture
def ana(client_for: ClientFor, acme: TenantId) -> Client:
    """An editor of acme."""
    return client_for(acme)


@pytest.fixture
def ben(client_for: ClientFor, rival: TenantId) -> Client:
    """An editor of acme's rival."""
    return client_for(rival)
