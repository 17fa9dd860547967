"""Work across tenants goes through a door of its own, and every use of it leaves a row.

The role behind it sees the list of tenants and nothing that belongs to one: to work on a
tenant's data, bind that tenant like everyone else.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from sqlalchemy import Identity, select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import Mapped, mapped_column

from service.chassis.application.database import create_engine
from service.chassis.application.tables import Table, Tenant
from service.chassis.identity import TenantId
from service.chassis.sections import DatabaseSettings


class SystemLog(Table):
    __tablename__ = "system_log"
    __table_args__ = {"comment": "system: the audit of work across tenants"}

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    actor: Mapped[str]
    reason: Mapped[str]


class SystemDoor:
    def __init__(self, settings: DatabaseSettings) -> None:
        if settings.system_url is None:
            raise RuntimeError("DATABASE_SYSTEM_URL: missing; work across tenants needs it")
        self._engine = create_engine(settings, settings.system_url.get_secret_value())
        self._sessions = async_sessionmaker(self._engine, expire_on_commit=False)

    @asynccontextmanager
    async def open(self, *, actor: str, reason: str) -> AsyncGenerator[AsyncSession]:
        """The use is on record before the work starts, so that failed work is too."""
        async with self._sessions.begin() as session:
            session.add(SystemLog(actor=actor, reason=reason))
        async with self._sessions.begin() as session:
            yield session

    async def close(self) -> None:
        await self._engine.dispose()


async def create_tenant(door: SystemDoor, *, actor: str, name: str) -> TenantId:
    async with door.open(actor=actor, reason=f"create the tenant {name}") as session:
        tenant = Tenant(name=name)
        session.add(tenant)
    return TenantId(tenant.id)


async def tenants_by_name(door: SystemDoor, *, actor: str) -> dict[str, TenantId]:
    async with door.open(actor=actor, reason="list the tenants") as session:
        return {
            tenant.name: TenantId(tenant.id) for tenant in await session.scalars(select(Tenant))
        }


async def tenants_at_work(door: SystemDoor, *, actor: str) -> Sequence[TenantId]:
    """All that are not suspended."""
    async with door.open(actor=actor, reason="list the tenants at work") as session:
        found = await session.scalars(select(Tenant.id).where(Tenant.suspended_at.is_(None)))
        return [TenantId(each) for each in found]
