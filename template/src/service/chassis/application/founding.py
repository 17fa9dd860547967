"""The life of a tenant as a whole: operators found, suspend and resume it."""

from sqlalchemy import func, update

from service.chassis.application.capability import CapabilityKey
from service.chassis.application.database import Database
from service.chassis.application.members import found_by
from service.chassis.application.system import SystemDoor, create_tenant
from service.chassis.application.tables import Tenant
from service.chassis.identity import TenantId
from service.chassis.settings import Settings

OPERATOR = "operator"


async def found(settings: Settings, name: str, owner_email: str) -> TenantId:
    """It begins with one invited owner; everybody else is invited by members."""
    door = SystemDoor(settings.database)
    database = Database(settings.database, CapabilityKey.of(settings.tenancy))
    try:
        tenant_id = await create_tenant(door, actor=OPERATOR, name=name)
        async with database.transaction(tenant_id) as session:
            await found_by(session, OPERATOR, owner_email)
    finally:
        await door.close()
        await database.engine.dispose()
    return tenant_id


async def suspend(settings: Settings, tenant_id: TenantId, *, suspended: bool) -> None:
    """Nobody gets in any more, within the revocation bound; nothing is deleted."""
    door = SystemDoor(settings.database)
    reason = f"{'suspend' if suspended else 'resume'} the tenant {tenant_id}"
    try:
        async with door.open(actor=OPERATOR, reason=reason) as session:
            changed = update(Tenant).where(Tenant.id == tenant_id)
            await session.execute(changed.values(suspended_at=func.now() if suspended else None))
    finally:
        await door.close()
