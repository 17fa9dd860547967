"""Dead letters, for operators: what nobody could do, and a new start for it."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from service.chassis.application.audit import Actor, record
from service.chassis.application.capability import CapabilityKey
from service.chassis.application.database import Database
from service.chassis.application.founding import OPERATOR
from service.chassis.application.job_rows import DEAD
from service.chassis.application.jobs import JobId, Jobs
from service.chassis.identity import TenantId
from service.chassis.settings import Settings


@dataclass(frozen=True)
class DeadJobs:
    database: Database
    jobs: Jobs

    async def listed(self, tenant_id: TenantId) -> Sequence[Row[*tuple[Any, ...]]]:
        """The first that died comes first."""
        async with self.database.transaction(tenant_id) as session:
            return (await session.execute(DEAD)).all()

    async def replayed(self, tenant_id: TenantId, job_id: JobId) -> bool:
        """It starts anew, as if it had just been put; that is on record in its tenant."""
        async with self.database.transaction(tenant_id) as session:
            if not await self.jobs.replay(session, job_id):
                return False
            await record(session, Actor(OPERATOR), "job.replayed", job_id)
            return True


@asynccontextmanager
async def dead_jobs(settings: Settings, jobs: Jobs) -> AsyncGenerator[DeadJobs]:
    database = Database(settings.database, CapabilityKey.of(settings.tenancy))
    try:
        yield DeadJobs(database, jobs)
    finally:
        await database.engine.dispose()
