"""Webhooks that leave if, and only if, what they tell of was committed.

`put` writes the message in the transaction of the effect. Every process then sends what is due,
under the same id until the other side says yes: at least once, and once for a receiver that counts
ids. The order is not kept.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from math import inf
from random import SystemRandom
from typing import Any
from uuid import UUID

from sqlalchemy import Executable, Row
from sqlalchemy.ext.asyncio import AsyncSession

from service.chassis.application.audit import Actor, record
from service.chassis.application.database import Database
from service.chassis.application.outbound import Outbound
from service.chassis.application.outgoing_rows import AGAIN, BURY, LEASE, NEXT, PUT, SENT
from service.chassis.application.tenancy import Tenancy
from service.chassis.application.webhooks import Endpoint, deliver
from service.chassis.errors import AddressUnreachable
from service.chassis.identity import Caller, Role, TenantId
from service.chassis.intelligence.gateway import Intelligence
from service.chassis.telemetry.logs import log, log_failure

# Asked before each attempt, with a tenancy that may do nothing: a target that changed is followed.
EndpointOf = Callable[[Tenancy, str], Awaitable[Endpoint | None]]
SENDER = "outgoing"
# The second is of one tenant: whatever hangs, or floods, is never more.
TENANTS_AT_ONCE, MESSAGES_AT_ONCE = 8, 4
DRAIN_SECONDS = 10
chance = SystemRandom()


@dataclass(frozen=True)
class Pace:
    """How long a message is its sender's alone, and how patiently it is sent again."""

    lease_seconds: float = 60
    first_seconds: float = 5
    longest_seconds: float = 21_600
    attempts: int = 16
    look_seconds: float = 0.5
    sweep_seconds: float = 300

    def wait_after(self, attempt: int) -> timedelta:
        """Anywhere up to the bound, so that what failed together does not return together."""
        longest = min(self.longest_seconds, self.first_seconds * 2 ** (attempt - 1))
        return timedelta(seconds=chance.uniform(0, longest))


@dataclass
class Outgoing:
    database: Database
    outbound: Outbound
    intelligence: Intelligence
    endpoint_of: EndpointOf
    # All that are not suspended: how messages are found whose process died.
    tenants: Callable[[], Awaitable[Sequence[TenantId]]]
    pace: Pace = field(default_factory=Pace)

    def __post_init__(self) -> None:
        self._sweep_at = 0.0
        self._due: dict[TenantId, float] = {}
        self._awake: dict[TenantId, float] = {}
        self._looks: dict[TenantId, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(TENANTS_AT_ONCE)
        self._more = asyncio.Event()

    async def put(
        self, tenancy: Tenancy, session: AsyncSession, destination: str, body: bytes
    ) -> UUID:
        """In the transaction of the effect; the id is the one that the receiver will see."""
        said = {"destination": destination, "body": body, "caused_by": tenancy.caller.subject}
        message_id: UUID = (await session.execute(PUT, said)).scalar_one()
        self._awake[tenancy.caller.tenant_id] = self.pace.look_seconds
        self._look_in(tenancy.caller.tenant_id, self.pace.look_seconds)
        return message_id

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Sends until the block ends; what is on its way then gets a moment to arrive."""
        rounds = asyncio.create_task(self._rounds())
        try:
            yield
        finally:
            rounds.cancel()
            _, late = await asyncio.wait({rounds, *self._looks.values()}, timeout=DRAIN_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _rounds(self) -> None:
        while True:
            self._more.clear()
            try:
                await self._round(time.monotonic())
            except Exception as error:  # noqa: BLE001  whatever it is, the next round may do better
                log_failure("outgoing_round_failed", error)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._more.wait(), self.pace.look_seconds)

    async def _round(self, now: float) -> None:
        if now >= self._sweep_at:
            # Not all processes at once.
            self._sweep_at = now + self.pace.sweep_seconds * chance.uniform(0.5, 1)
            self._due |= dict.fromkeys(await self.tenants(), now)
        # One look at a tenant at a time: what becomes due meanwhile stays so, for the next look.
        due = [each for each, at in self._due.items() if at <= now and each not in self._looks]
        for tenant_id in due:
            del self._due[tenant_id]
            self._looks[tenant_id] = asyncio.create_task(self._look(tenant_id))

    async def _look(self, tenant_id: TenantId) -> None:
        try:
            async with self._slots:
                left = await self._worked(tenant_id)
        except Exception as error:  # noqa: BLE001  one tenant's trouble is not the others'
            log_failure("outgoing_look_failed", error, tenant_id=str(tenant_id))
            left = self.pace.first_seconds
        finally:
            # Before the next round begins, which would pass over this tenant.
            del self._looks[tenant_id]
        if left is None:
            # Who put something may not have committed yet: look less and less often, until the
            # sweep comes by anyway.
            left = self._awake.pop(tenant_id, inf)
            if left < self.pace.sweep_seconds:
                self._awake[tenant_id] = left * 2
        self._look_in(tenant_id, left)

    def _look_in(self, tenant_id: TenantId, seconds: float) -> None:
        if seconds < inf:
            at = time.monotonic() + seconds
            self._due[tenant_id] = min(at, self._due.get(tenant_id, inf))
        if not seconds:
            self._more.set()

    async def _worked(self, tenant_id: TenantId) -> float | None:
        """For how long nothing is due; None if nothing is there."""
        async with self.database.transaction(tenant_id) as session:
            left: timedelta | None = await session.scalar(NEXT)
            if left is None or left > timedelta():
                return None if left is None else left.total_seconds()
            await self._bury(session)
            taken = {"lease": timedelta(seconds=self.pace.lease_seconds), "count": MESSAGES_AT_ONCE}
            leased = (await session.execute(LEASE, taken)).all()
        attempts = (self._attempt(tenant_id, message) for message in leased)
        for outcome in await asyncio.gather(*attempts, return_exceptions=True):
            if isinstance(outcome, Exception):
                log_failure("outgoing_not_marked", outcome, tenant_id=str(tenant_id))
        return 0 if leased else self.pace.look_seconds

    async def _bury(self, session: AsyncSession) -> None:
        """Kept, and on record where the tenant can read it."""
        for dead in (await session.execute(BURY, {"most": self.pace.attempts})).all():
            what = f"to {dead.destination}, caused by {dead.caused_by}"
            await record(session, Actor(SENDER), "outgoing.given_up", dead.id, what)

    async def _attempt(self, tenant_id: TenantId, message: Row[Any]) -> None:
        outcome: Executable = SENT
        values: dict[str, Any] = {"message": message.id}
        try:
            # Over before the lease is, so that nobody else sends it meanwhile.
            async with asyncio.timeout(self.pace.lease_seconds / 2):
                await self._send(tenant_id, message)
        except Exception as error:  # noqa: BLE001  it comes again, whatever it was
            why = f"{type(error).__name__}: {error}"
            log("outgoing_not_sent", message=str(message.id), attempt=message.attempts, why=why)
            outcome, wait = AGAIN, self.pace.wait_after(message.attempts)
            values |= {"attempt": message.attempts, "wait": wait}
        async with self.database.transaction(tenant_id) as session:
            await session.execute(outcome, values)

    async def _send(self, tenant_id: TenantId, message: Row[Any]) -> None:
        nobody = Caller(SENDER, tenant_id, Role.VIEWER, scopes=frozenset())
        tenancy = Tenancy(nobody, self.intelligence, self.database)
        endpoint = await self.endpoint_of(tenancy, message.destination)
        if endpoint is None:
            raise AddressUnreachable("There is no such destination.")
        await deliver(self.outbound, endpoint, str(message.id), message.body)
