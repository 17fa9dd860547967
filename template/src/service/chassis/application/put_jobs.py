"""Jobs in the tenant's own table, and their tickets in the queue of the same database."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from service.chassis.application.job_rows import (
    CANCEL,
    FORGET_OLD,
    PUT,
    REPLAY,
    SEE,
    TICKET,
    WAITING,
    WITH_KEY,
)
from service.chassis.application.jobs import (
    BY_ITSELF,
    Declared,
    JobId,
    JobSeen,
    State,
    Unreadable,
    Work,
)
from service.chassis.application.on_behalf import Errand
from service.chassis.application.tenancy import Tenancy
from service.chassis.errors import NotFound, Unavailable
from service.chassis.jobs_settings import JobsSettings
from service.chassis.telemetry.tracing import current_trace_id

# Whoever is told so may try again after this; the queue is a minute shorter then.
RETRY_SECONDS = 60
NOW = timedelta()


@dataclass(frozen=True)
class PutJobs:
    """The port, on Postgres."""

    declared: Declared
    settings: JobsSettings

    async def put(
        self,
        tenancy: Tenancy,
        session: AsyncSession,
        work: Work,
        *,
        after: timedelta = NOW,
        key: str | None = None,
    ) -> JobId:
        asked = self._asked(tenancy, work)
        job_id = JobId(uuid4())
        # First, so that whoever is refused has changed nothing.
        await self.ticket(session, job_id, after)
        row = asked | {"id": job_id, "key": key, "after": after}
        if await session.scalar(PUT, row) is None:
            return JobId((await session.execute(WITH_KEY, {"key": key})).scalar_one())
        await session.execute(FORGET_OLD, {"kept": timedelta(days=self.settings.kept_days)})
        return job_id

    def _asked(self, tenancy: Tenancy, work: Work) -> dict[str, Any]:
        fields, caller = work.model_dump(mode="json"), tenancy.caller
        try:
            self.declared.understood(work.kind, work.version, fields)
        except Unreadable as reason:
            raise TypeError(f"{type(work).__name__} is no job of this service: {reason}") from None
        if not caller.subject.startswith(BY_ITSELF):
            Errand.of(tenancy, work.kind)
        return {
            "kind": work.kind,
            "version": work.version,
            "work": fields,
            "caused_by": caller.subject,
            "scopes": None if caller.scopes is None else sorted(caller.scopes),
            "trace_id": current_trace_id(),
        }

    async def ticket(self, session: AsyncSession, job_id: JobId, after: timedelta) -> None:
        most = self.settings.tenant_waiting
        ahead = await session.scalar(WAITING, {"most": most})
        assert ahead is not None
        ticket = {"job": job_id, "ahead": ahead, "after": after, "most": self.settings.all_waiting}
        if ahead >= most or not await session.scalar(TICKET, ticket):
            raise Unavailable("Too much work is waiting already.", retry_after=RETRY_SECONDS)

    async def look(self, session: AsyncSession, job_id: JobId) -> JobSeen:
        row = (await session.execute(SEE, {"job": job_id})).one_or_none()
        if row is None:
            raise NotFound("There is no such job.")
        seen = row._asdict()
        return JobSeen(**{**seen, "state": State(seen["state"])})

    async def cancel(self, session: AsyncSession, job_id: JobId) -> bool:
        return await session.scalar(CANCEL, {"job": job_id}) is not None

    async def replay(self, session: AsyncSession, job_id: JobId) -> bool:
        if await session.scalar(REPLAY, {"job": job_id}) is None:
            return False
        await self.ticket(session, job_id, NOW)
        return True
