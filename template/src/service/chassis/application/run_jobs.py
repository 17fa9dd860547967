"""One attempt at one job: its effects and its end become true together, or neither does."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from service.chassis.application.audit import Actor, record
from service.chassis.application.database import Database
from service.chassis.application.job_rows import AGAIN, END, GIVE_BACK, TAKE
from service.chassis.application.jobs import BY_ITSELF, Job, JobId, State, Unreadable, Work
from service.chassis.application.joined import JoinedTransaction
from service.chassis.application.on_behalf import Errand, Unattended, on_behalf
from service.chassis.application.put_jobs import PutJobs
from service.chassis.application.remembered import WROTE
from service.chassis.application.tables import OPEN_TENANT
from service.chassis.application.tenancy import Tenancy
from service.chassis.errors import (
    AddressUnreachable,
    Conflict,
    InProgress,
    ServiceError,
    TooManyRequests,
    Unavailable,
)
from service.chassis.identity import Caller, MemberId, Role, TenantId
from service.chassis.intelligence.gateway import Intelligence, settle_first
from service.chassis.telemetry.logs import log, log_failure
from service.chassis.telemetry.tracing import begin_trace

PASSING = (Unavailable, TooManyRequests, Conflict, InProgress, AddressUnreachable)
WORKER = "worker"
DIED_WITH_IT = "its worker died each time"


class TenantAway(Exception):
    """The tenant is suspended: its jobs wait until it is back."""


class Overtaken(Exception):
    """The job was cancelled, or is another worker's by now: nothing of this attempt may stay."""


class AskedAfterWriting(RuntimeError):
    """Ask the model first and write afterwards: nothing may be committed before the job's end."""


@dataclass(frozen=True)
class RunJobs:
    database: Database
    intelligence: Intelligence
    jobs: PutJobs

    async def run(self, tenant_id: TenantId, job_id: JobId) -> None:
        """Does what is due, and nothing if there is no such job in that tenant, or it is over."""
        async with self.database.transaction(tenant_id) as session:
            taken = (await session.execute(TAKE, {"job": job_id})).one_or_none()
            if taken is None:
                if await session.scalar(OPEN_TENANT) is None:
                    raise TenantAway
                return
            readable = await self._read(session, taken)
        if readable is not None:
            begin_trace(f"00-{taken.trace_id or '0' * 32}-{'0' * 15}1-01")
            await Attempt(self, tenant_id, taken, *readable).made()

    async def _read(self, session: AsyncSession, taken: Row[Any]) -> tuple[Job[Any], Work] | None:
        try:
            job, work = self.jobs.declared.understood(taken.kind, taken.version, taken.work)
        except Unreadable as reason:
            await buried(session, taken, str(reason))
            return None
        if taken.attempts > job.attempts:
            await buried(session, taken, DIED_WITH_IT)
            return None
        return job, work


async def ended(
    session: AsyncSession, taken: Row[Any], end: State, why: str | None, told: Any = None
) -> None:
    mine = {"job": taken.id, "attempt": taken.attempts}
    if await session.scalar(END, mine | {"end": end, "why": why, "told": told}) is None:
        raise Overtaken


async def buried(session: AsyncSession, taken: Row[Any], why: str) -> None:
    """Kept, and on record where the tenant can read it."""
    await ended(session, taken, State.DEAD, why)
    detail = f"{taken.kind}, caused by {taken.caused_by}: {why}"
    await record(session, Actor(WORKER), "job.died", taken.id, detail)


def _shown(error: Exception) -> str:
    """Its tenant reads it: only what was written for callers to see."""
    if isinstance(error, ServiceError):
        return f"{error.code}: {error}"[:500]
    return type(error).__name__


class Attempt:
    def __init__(
        self, runs: RunJobs, tenant_id: TenantId, taken: Row[Any], job: Job[Any], work: Work
    ) -> None:
        self._runs, self._tenant_id, self._taken = runs, tenant_id, taken
        self._job, self._work = job, work
        self._joined = JoinedTransaction(runs.database, tenant_id)

    async def made(self) -> None:
        try:
            async with asyncio.timeout(self._job.timeout_seconds):
                await self._succeed(await self._handled())
        except asyncio.CancelledError:
            await self._undone()
            await self._give_back()
            raise
        except Overtaken:
            await self._undone()
            log("job_overtaken", job=str(self._taken.id), attempt=self._taken.attempts)
        except Exception as error:  # noqa: BLE001  whatever it was, it is on record with the job
            await self._undone()
            await self._concluded(error)

    async def _handled(self) -> BaseModel | None:
        settle_first.set(self._settled)
        async with self._tenancy() as tenancy:
            result: BaseModel | None = await self._job.handler(tenancy, self._work)
            return result

    @asynccontextmanager
    async def _tenancy(self) -> AsyncGenerator[Tenancy]:
        """From the job's own row, which nobody but its tenant could write."""
        taken, runs = self._taken, self._runs
        scopes = None if taken.scopes is None else frozenset(taken.scopes)
        if taken.caused_by == BY_ITSELF + taken.kind:
            declared = runs.jobs.declared.periodic.get(taken.kind)
            may = frozenset(map(str, declared.may)) if declared else frozenset()
            caller = Caller(taken.caused_by, self._tenant_id, Role.EDITOR, scopes=may)
            yield Unattended(caller, runs.intelligence, self._joined)
            return
        member_id = MemberId(UUID(taken.caused_by))
        errand = Errand(taken.kind, self._tenant_id, member_id, scopes)
        async with on_behalf(runs.database, runs.intelligence, errand, self._joined) as tenancy:
            yield tenancy

    async def _settled(self) -> None:
        """Before a model is asked: no connection waits for it, and no effect is cut in two."""
        async with self._joined.alone():
            if not self._joined.pending:
                return
            if (await (await self._joined.root()).execute(WROTE)).scalar_one():
                raise AskedAfterWriting(self._job.work.kind)
            await self._joined.commit()

    async def _succeed(self, result: BaseModel | None) -> None:
        told = None if result is None else result.model_dump(mode="json")
        async with self._joined.alone():
            await ended(await self._joined.root(), self._taken, State.SUCCEEDED, None, told)
            await self._joined.commit()

    async def _undone(self) -> None:
        self._joined.over = True
        await self._joined.undo()

    async def _concluded(self, error: Exception) -> None:
        taken, why = self._taken, _shown(error)
        log_failure("job_failed", error, job=str(taken.id), attempt=taken.attempts)
        try:
            async with self._runs.database.transaction(self._tenant_id) as session:
                if isinstance(error, ServiceError) and not isinstance(error, PASSING):
                    await ended(session, taken, State.FAILED, why)
                elif taken.attempts >= self._job.attempts:
                    await buried(session, taken, why)
                else:
                    await self._put_off(session, why)
        except Overtaken:
            log("job_overtaken", job=str(taken.id), attempt=taken.attempts)

    async def _put_off(self, session: AsyncSession, why: str) -> None:
        attempt = self._taken.attempts
        after = self._job.wait_after(attempt)
        mine = {"job": self._taken.id, "attempt": attempt, "why": why, "after": after}
        if await session.scalar(AGAIN, mine) is None:
            raise Overtaken
        await self._runs.jobs.ticket(session, self._taken.id, after)

    async def _give_back(self) -> None:
        """The ticket comes back by itself; what was begun does not count as an attempt."""
        mine = {"job": self._taken.id, "attempt": self._taken.attempts}
        async with self._runs.database.transaction(self._tenant_id) as session:
            await session.execute(GIVE_BACK, mine)
