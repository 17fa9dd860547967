"""A member who puts work, and looks what became of it."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chassis.application.acting import rows, tenancy_of

from service.chassis.app import Service
from service.chassis.application.jobs import JobId, Jobs, JobSeen, Work
from service.chassis.application.tenancy import Tenancy
from service.chassis.identity import Role, TenantId

# So many in one transaction, which must not last for minutes.
TOGETHER = 100
DEEDS = "SELECT target FROM audit_log WHERE action = 'deed.done'"
STATES = "SELECT state, count(*) FROM jobs GROUP BY state"


@dataclass(frozen=True)
class Asker:
    app: Service
    tenancy: Tenancy
    jobs: Jobs

    @classmethod
    async def of(cls, app: Service, tenant: TenantId, jobs: Jobs) -> "Asker":
        return cls(app, await tenancy_of(app, tenant, Role.EDITOR), jobs)

    async def put(self, work: Work, **how: Any) -> JobId:
        async with self.tenancy.transaction() as session:
            return await self.jobs.put(self.tenancy, session, work, **how)

    async def put_all(self, works: Sequence[Work]) -> None:
        for begin in range(0, len(works), TOGETHER):
            async with self.tenancy.transaction() as session:
                for work in works[begin : begin + TOGETHER]:
                    await self.jobs.put(self.tenancy, session, work)

    async def look(self, job_id: JobId) -> JobSeen:
        async with self.tenancy.transaction() as session:
            return await self.jobs.look(session, job_id)

    async def over(self, job_id: JobId, seconds: float = 30) -> JobSeen:
        """What became of it, once it is over."""
        async with asyncio.timeout(seconds):
            while not (seen := await self.look(job_id)).over:  # noqa: ASYNC110  another process
                await asyncio.sleep(0.02)
        return seen

    async def sql(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        return await rows(self.app, self.tenancy.caller.tenant_id, statement, **values)

    async def deeds(self) -> Counter[str]:
        """Which effects there are, and how often."""
        return Counter(target for (target,) in await self.sql(DEEDS))

    async def states(self) -> dict[str, int]:
        return {str(state): int(count) for state, count in await self.sql(STATES)}

    async def until(self, states: dict[str, int], seconds: float = 30) -> None:
        async with asyncio.timeout(seconds):
            while await self.states() != states:  # noqa: ASYNC110  other processes
                await asyncio.sleep(0.05)
