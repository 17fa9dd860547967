"""A process that does a deed and tells of it, killed at one step after the other.

`python -m chassis.outgoing.mortal <port> <receiving tenant> <tenant>…`: one short life for each of
the tenants; the first dies at its first step, the second at its second, until one lives through.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from chassis.outgoing.receiving import endpoint, loopback, until
from sqlalchemy import event, text

from service.chassis.application.audit import Actor, record
from service.chassis.application.capability import CapabilityKey
from service.chassis.application.database import Database
from service.chassis.application.outbound import Answer, Outbound
from service.chassis.application.outgoing import Outgoing, Pace
from service.chassis.application.tenancy import Tenancy
from service.chassis.application.webhooks import Endpoint
from service.chassis.identity import Caller, Role, TenantId
from service.chassis.intelligence.gateway import Intelligence, LocalModel
from service.chassis.settings import load_settings

LEASE_SECONDS = 5.0
SURVIVED = 0


class Fate:
    """Counts the steps of a life, and ends it at the one that it was given."""

    def __init__(self, last: int) -> None:
        self._last, self._taken = last, 0

    def step(self, what: str) -> None:
        self._taken += 1
        if self._taken == self._last:
            sys.stdout.write(json.dumps(what) + "\n")
            sys.stdout.flush()
            os.kill(os.getpid(), signal.SIGKILL)


class MortalOutbound(Outbound):
    fate: Fate

    async def post(self, *args: Any, **kwargs: Any) -> Answer:
        self.fate.step("before it is sent")
        answer = await super().post(*args, **kwargs)
        self.fate.step("after it was sent")
        return answer


def watched(fate: Fate, database: Database) -> Database:
    """Every statement is two steps, and so is every commit."""
    engine = database.engine.sync_engine

    def named(*given: Any) -> str:
        return " ".join(given[2].split()[:3])

    event.listen(engine, "before_cursor_execute", lambda *g: fate.step(f"before {named(*g)}"))
    event.listen(engine, "after_cursor_execute", lambda *g: fate.step(f"after {named(*g)}"))
    event.listen(engine, "commit", lambda _: fate.step("before a commit"))
    event.listen(engine, "checkin", lambda *_: fate.step("after a commit"))
    return database


async def nobody() -> Sequence[TenantId]:
    """No sweep: what the lives before left behind is for others to find."""
    return []


async def live(last: int, tenant: TenantId, port: int, receiving: str) -> None:
    settings, fate = load_settings(), Fate(last)
    key = CapabilityKey.of(settings.tenancy)
    database, calm = (Database(settings.database, key) for _ in range(2))
    outbound = MortalOutbound(loopback())
    outbound.fate = fate

    async def endpoint_of(_tenancy: Tenancy, _destination: str) -> Endpoint:
        return endpoint(port, receiving)

    intelligence, pace = Intelligence(LocalModel()), Pace(LEASE_SECONDS, look_seconds=0.02)
    outgoing = Outgoing(watched(fate, database), outbound, intelligence, endpoint_of, nobody, pace)
    tenancy = Tenancy(Caller("mortal", tenant, Role.EDITOR), intelligence, database)
    async with tenancy.transaction() as session:
        await record(session, Actor.of(tenancy), "deed.done")
        await outgoing.put(tenancy, session, "hook", json.dumps(str(tenant)).encode())
    async with outgoing.running():
        await until(partial(_all_sent, calm, tenant))


async def _all_sent(database: Database, tenant: TenantId) -> bool:
    async with database.transaction(tenant) as session:
        return not await session.scalar(text("SELECT count(*) FROM outgoing"))


def main(port: int, receiving: str, tenants: list[str]) -> None:
    """Forked, so that not every life has to import the service first."""
    for number, tenant in enumerate(tenants, 1):
        if (child := os.fork()) == 0:
            asyncio.run(live(number, TenantId(UUID(tenant)), port, receiving))
            os._exit(SURVIVED)
        end = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if end != -signal.SIGKILL:
            sys.stdout.write(json.dumps("lived" if end == SURVIVED else "failed") + "\n")
            return


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
