"""Work after the request: on behalf of a member, with what that member may do when it runs.

Work has no rights of its own. Keep an `Errand` with it; each of its blocks asks the database anew.
What needs a fresh sign-in stays refused: nobody is there who could prove who they are.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from service.chassis.application.audit import Actor, record
from service.chassis.application.database import Database
from service.chassis.application.members import Member
from service.chassis.application.tables import Tenant
from service.chassis.application.tenancy import Tenancy, Transactions
from service.chassis.errors import Forbidden
from service.chassis.identity import Caller, MemberId, Permission, Role, TenantId
from service.chassis.intelligence.gateway import Intelligence

NOW = (
    select(Member.role, Tenant.plan)
    .join(Tenant, Tenant.suspended_at.is_(None))
    .where(Member.id == bindparam("member"), Member.state == "active")
)


@dataclass(frozen=True)
class Errand:
    """What is to be done and for whom, with the limits of the credential that asked for it."""

    what: str
    tenant_id: TenantId
    member_id: MemberId
    scopes: frozenset[str] | None

    @classmethod
    def of(cls, tenancy: Tenancy, what: str) -> "Errand":
        caller = tenancy.caller
        try:
            member_id = MemberId(UUID(caller.subject))
        except ValueError:
            raise Forbidden("Only for a member can something be done later.") from None
        return cls(what, caller.tenant_id, member_id, caller.scopes)


@dataclass(frozen=True)
class Unattended(Tenancy):
    @asynccontextmanager
    async def transaction(
        self, permission: Permission | None = None
    ) -> AsyncGenerator[AsyncSession]:
        """Names its permission, always: no guard stood in front of this work."""
        if permission is None:
            raise Forbidden("Work after the request must name the permission that it needs.")
        async with super().transaction() as session:
            (await self.caller_now(session)).require(permission)
            yield session

    async def caller_now(self, session: AsyncSession) -> Caller:  # noqa: ARG002
        return self.caller


@dataclass(frozen=True)
class Deputy(Unattended):
    errand: Errand = field(kw_only=True)

    async def caller_now(self, session: AsyncSession) -> Caller:
        return await _as_of_now(session, self.errand)


@asynccontextmanager
async def on_behalf(
    database: Database,
    intelligence: Intelligence,
    errand: Errand,
    work: Transactions | None = None,
) -> AsyncGenerator[Tenancy]:
    """What is refused is on record, with the member as who was refused.

    The blocks are those of `work`; who may and who was refused is asked and told apart from it.
    """
    try:
        async with database.transaction(errand.tenant_id) as session:
            caller = await _as_of_now(session, errand)
        yield Deputy(caller, intelligence, work or database, errand=errand)
    except Forbidden as refused:
        async with database.transaction(errand.tenant_id) as session:
            actor = Actor(str(errand.member_id))
            await record(session, actor, "authorization.denied", errand.what, str(refused))
        raise


async def _as_of_now(session: AsyncSession, errand: Errand) -> Caller:
    found = (await session.execute(NOW, {"member": errand.member_id})).one_or_none()
    if found is None:
        raise Forbidden("No active member of an active tenant stands behind this work.")
    subject, role = str(errand.member_id), Role(found.role)
    return Caller(subject, errand.tenant_id, role, found.plan, errand.scopes)
