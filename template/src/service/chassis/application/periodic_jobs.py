"""Work that nobody asked for: put once in every tenant for each time that it is due."""

from dataclasses import dataclass

from service.chassis.application.database import Database
from service.chassis.application.jobs import BY_ITSELF
from service.chassis.application.put_jobs import PutJobs
from service.chassis.application.system import SystemDoor, tenants_at_work
from service.chassis.application.tenancy import Tenancy
from service.chassis.errors import Unavailable
from service.chassis.identity import Action, Caller, Permission, Role, TenantId
from service.chassis.intelligence.gateway import Intelligence
from service.chassis.sections import DatabaseSettings
from service.chassis.telemetry.logs import log

PUT_JOBS = Permission("jobs", Action.WRITE)


@dataclass(frozen=True)
class PeriodicJobs:
    database: Database
    intelligence: Intelligence
    jobs: PutJobs
    settings: DatabaseSettings

    async def put_in_all_tenants(self, kind: str, timestamp: int) -> None:
        """Safe to repeat: a tenant that has the job of this time already keeps that one."""
        door = SystemDoor(self.settings)
        try:
            tenants = await tenants_at_work(door, actor=BY_ITSELF + kind)
        finally:
            await door.close()
        for tenant_id in tenants:
            await self._put(tenant_id, kind, f"{BY_ITSELF}{kind}@{timestamp}")

    async def _put(self, tenant_id: TenantId, kind: str, key: str) -> None:
        caller = Caller(BY_ITSELF + kind, tenant_id, Role.EDITOR)
        tenancy = Tenancy(caller, self.intelligence, self.database)
        try:
            async with tenancy.transaction(PUT_JOBS) as session:
                await self.jobs.put(
                    tenancy, session, self.jobs.declared.periodic[kind].work, key=key
                )
        except Unavailable as error:
            # One tenant's full queue is not the others' trouble.
            log("periodic_job_not_put", kind=kind, tenant_id=str(tenant_id), why=str(error))
