"""What tests of outgoing messages say often."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from chassis.outgoing.receiving import SECRETS, arrived, until

from service.chassis.application.database import Database
from service.chassis.application.outgoing import EndpointOf, Outgoing, Pace
from service.chassis.application.tenancy import Tenancy
from service.chassis.application.webhooks import Endpoint
from service.chassis.identity import Caller, Role, TenantId
from service.chassis.intelligence.gateway import Intelligence, LocalModel
from strangers import OK, Stranger, stranger

QUICK = Pace(lease_seconds=30, first_seconds=0.01, longest_seconds=0.05, look_seconds=0.02)
Relay = Callable[..., Outgoing]
Rows = Callable[..., Awaitable[list[Any]]]
ALL = "SELECT id::text, attempts, dead_at IS NOT NULL AS dead FROM outgoing"


def tenancy_in(database: Database, tenant: TenantId) -> Tenancy:
    return Tenancy(Caller("ana", tenant, Role.EDITOR), Intelligence(LocalModel()), database)


async def put(outgoing: Outgoing, tenant: TenantId, body: bytes = b"{}") -> str:
    tenancy = tenancy_in(outgoing.database, tenant)
    async with tenancy.transaction() as session:
        return str(await outgoing.put(tenancy, session, "hook", body))


def ids() -> Counter[str]:
    return Counter(message_id for message_id, _ in arrived)


async def emptied(rows: Rows, tenant: TenantId) -> None:
    async def empty() -> bool:
        return not await rows(tenant, ALL)

    await until(empty)


@asynccontextmanager
async def hanging() -> AsyncGenerator[tuple[Stranger, asyncio.Event]]:
    """A server that takes what comes, and answers nobody before the event."""
    over = asyncio.Event()

    async def hang(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.write(OK)

    async with stranger(speak=hang) as server:
        try:
            yield server, over
        finally:
            over.set()


def leading_to(server: Stranger) -> EndpointOf:
    async def found(_tenancy: Tenancy, _destination: str) -> Endpoint:
        return Endpoint(f"http://127.0.0.1:{server.port}/", SECRETS)

    return found


def identified(server: Stranger) -> list[str]:
    """The ids of what was rightly signed for this server."""
    found = []
    for head, body in zip(server.heads, server.bodies, strict=True):
        lines = (line.partition(": ") for line in head.split("\r\n"))
        headers = {name.lower(): value for name, _, value in lines}
        found.append(SECRETS.verified(headers, body, float(headers["webhook-timestamp"])))
    return found
