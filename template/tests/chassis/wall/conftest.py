"""A database with probe tables behind the wall, so that these tests need no feature."""

import asyncio
import os
from collections.abc import AsyncGenerator, Generator

import asyncpg
import pytest
from chassis.wall import feature
from chassis.wall.comparison import side
from chassis.wall.matrix import Matrix, Side

from dev.database import Server
from service.chassis.app import Service, create_app
from service.chassis.application.capability import CapabilityKey
from service.chassis.application.database import Database
from service.chassis.application.system import SystemDoor, create_tenant
from service.chassis.identity import TenantId
from service.chassis.sections import DatabaseSettings
from service.chassis.settings import Settings
from service.product import FEATURES

MIGRATED = "service_template"
PROBES = """
CREATE SCHEMA elsewhere AUTHORIZATION service_owner;
SET ROLE service_owner;
CREATE TABLE parents (
    tenant_id uuid NOT NULL DEFAULT wall.tenant() REFERENCES tenants (id),
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    slug text NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, slug)
);
CREATE TABLE children (
    tenant_id uuid NOT NULL DEFAULT wall.tenant() REFERENCES tenants (id),
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    parent_id uuid,
    body text NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT children_parent_fkey FOREIGN KEY (tenant_id, parent_id)
        REFERENCES parents (tenant_id, id) ON DELETE CASCADE
);
CREATE TABLE currencies (code text PRIMARY KEY, name text NOT NULL);
COMMENT ON TABLE currencies IS 'global: currencies are the same for everyone';
SELECT wall.enclose('parents'), wall.enclose('children'), wall.share('currencies');
"""


@pytest.fixture(scope="session")
def probe_name(server: Server) -> Generator[str]:
    """A clone of the migrated database with three more tables."""
    name = f"wall_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    asyncio.run(server.clone(MIGRATED, name))
    asyncio.run(_administer(server, name, PROBES))
    yield name
    asyncio.run(server.drop(name))


async def _administer(server: Server, name: str, sql: str) -> None:
    connection = await asyncpg.connect(server.admin(name))
    await connection.execute(sql)
    await connection.close()


@pytest.fixture(scope="session")
async def administrator(server: Server, probe_name: str) -> AsyncGenerator[asyncpg.Connection]:
    connection = await asyncpg.connect(server.admin(probe_name))
    yield connection
    await connection.close()


@pytest.fixture(scope="session")
def probe_settings(server: Server, probe_name: str) -> DatabaseSettings:
    return DatabaseSettings.model_validate(
        {
            "url": server.url("service_app", probe_name),
            "system_url": server.url("service_system", probe_name),
            "pool_size": 2,
        }
    )


@pytest.fixture(scope="session")
def key(settings: Settings) -> CapabilityKey:
    return CapabilityKey.of(settings.tenancy)


@pytest.fixture
async def probes(probe_settings: DatabaseSettings, key: CapabilityKey) -> AsyncGenerator[Database]:
    """What a service has, on the database with the probe tables."""
    database = Database(probe_settings, key)
    yield database
    await database.engine.dispose()


@pytest.fixture(scope="session")
async def probe_door(probe_settings: DatabaseSettings) -> AsyncGenerator[SystemDoor]:
    door = SystemDoor(probe_settings)
    yield door
    await door.close()


@pytest.fixture
async def ours(probe_door: SystemDoor) -> TenantId:
    return await create_tenant(probe_door, actor="tests", name="ours")


@pytest.fixture
async def theirs(probe_door: SystemDoor) -> TenantId:
    return await create_tenant(probe_door, actor="tests", name="theirs")


@pytest.fixture
async def session(server: Server, probe_name: str) -> AsyncGenerator[asyncpg.Connection]:
    """What an injected statement has: a login as service_app."""
    connection = await asyncpg.connect(server.url("service_app", probe_name))
    yield connection
    await connection.close()


@pytest.fixture(scope="session")
def probe_app_settings(settings: Settings, probe_settings: DatabaseSettings) -> Settings:
    return settings.model_copy(update={"database": probe_settings})


@pytest.fixture(scope="session")
async def probed(probe_app_settings: Settings) -> AsyncGenerator[Service]:
    """This service and one feature more, which is there even when all others are gone."""
    app = create_app(probe_app_settings, [*FEATURES, feature.router])
    async with app.router.lifespan_context(app) as state:
        app.state.given = state
        yield app


@pytest.fixture
def us(probed: Service, ours: TenantId) -> Side:
    return side(probed, ours)


@pytest.fixture
def them(probed: Service, theirs: TenantId) -> Side:
    return side(probed, theirs)


@pytest.fixture
def matrix(probed: Service) -> Matrix:
    return Matrix(probed.openapi())
