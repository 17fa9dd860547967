"""Senders of the test's own, and a receiver that counts."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
from chassis.outgoing.receiving import arrived, endpoint, loopback, receiver
from chassis.outgoing.senders import QUICK, Relay, Rows
from sqlalchemy import text

from service.chassis.app import Service
from service.chassis.application.database import Database
from service.chassis.application.outbound import Outbound
from service.chassis.application.outgoing import EndpointOf, Outgoing, Pace
from service.chassis.application.tenancy import Tenancy
from service.chassis.application.webhooks import Endpoint
from service.chassis.identity import TenantId
from service.chassis.intelligence.gateway import Intelligence, LocalModel
from service.chassis.settings import Settings


@pytest.fixture
async def port(settings: Settings, app: Service) -> AsyncGenerator[int]:
    async with receiver(settings, app.state.given) as port:
        arrived.clear()
        yield port


@pytest.fixture
async def outbound() -> AsyncGenerator[Outbound]:
    outbound = Outbound(loopback())
    yield outbound
    await outbound.close()


@pytest.fixture
def relay(database: Database, outbound: Outbound, port: int, rival: TenantId) -> Relay:
    """One that sends for these tenants to the receiver, in which the rival takes it."""

    async def to_the_receiver(_tenancy: Tenancy, _destination: str) -> Endpoint:
        return endpoint(port, rival)

    def made(*tenants: TenantId, to: EndpointOf = to_the_receiver, pace: Pace = QUICK) -> Outgoing:
        async def listed() -> list[TenantId]:
            return list(tenants)

        intelligence = Intelligence(LocalModel())
        return Outgoing(database, outbound, intelligence, to, listed, pace)

    return made


@pytest.fixture
def rows(database: Database) -> Rows:
    """What a statement finds in a tenant."""

    async def found(tenant: TenantId, sql: str) -> list[Any]:
        async with database.transaction(tenant) as session:
            return list((await session.execute(text(sql))).all())

    return found
