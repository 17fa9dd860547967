"""The other side: this service itself, on a real socket, that takes signed webhooks."""

import asyncio
import time
from base64 import b64encode
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import Annotated, Any

import uvicorn
from fastapi import APIRouter

from service.chassis.app import create_app
from service.chassis.application.audit import Actor, record
from service.chassis.application.reach import Reach
from service.chassis.application.tenancy import Tenancy
from service.chassis.application.webhooks import Delivery, Endpoint, SigningSecrets, arrives_first
from service.chassis.contract.webhooks import signed_webhook
from service.chassis.settings import Settings
from serving import SECONDS, free_port, wait_for

SECRETS = SigningSecrets.of("whsec_" + b64encode(b"outgoing" * 4).decode())
# What arrived and was rightly signed, in order: the id, and when.
arrived: list[tuple[str, float]] = []
router = APIRouter(prefix="/taken")


async def secrets_of(_tenancy: Tenancy) -> SigningSecrets:
    return SECRETS


async def take(tenancy: Tenancy, delivery: Delivery) -> None:
    """The effect: one row on record."""
    async with tenancy.transaction() as session:
        if await arrives_first(session, delivery):
            body = delivery.body.decode()
            await record(session, Actor.of(tenancy), "hook.taken", delivery.message_id, body)


Signed = Annotated[Delivery, signed_webhook("sender", secrets_of, reason="signed by the sender")]


@router.post("/{tenant_id}", status_code=204)
async def taken(delivery: Signed) -> None:
    arrived.append((delivery.message_id, time.time()))
    await take(delivery.tenancy, delivery)


@asynccontextmanager
async def receiver(settings: Settings, given: dict[str, Any]) -> AsyncGenerator[int]:
    """On which port it listens."""
    app, port = create_app(settings, [router]), free_port()

    async def served(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "state": dict(given)}, receive, send)

    config = uvicorn.Config(served, port=port, lifespan="off", log_level="error")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    await asyncio.to_thread(wait_for, f"http://127.0.0.1:{port}/livez", 200)
    yield port
    server.should_exit = True
    await serving


def endpoint(port: int, tenant_id: object) -> Endpoint:
    return Endpoint(f"http://127.0.0.1:{port}/v1/taken/{tenant_id}", SECRETS)


def loopback() -> Reach:
    """Counts this machine as a public place, which no setting can do."""
    return Reach(frozenset({"http"}), frozenset(range(1024, 65536)), (ip_network("127.0.0.1/32"),))


async def until(true: Callable[[], Awaitable[object]], seconds: float = SECONDS) -> None:
    async with asyncio.timeout(seconds):
        while not await true():  # noqa: ASYNC110  what it waits for happens in other processes
            await asyncio.sleep(0.02)
