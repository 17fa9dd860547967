"""The life of a tenant as a whole: operators found, suspend and resume it."""

from sqlalchemy import func, update

from service.chassis.application.account_letters import send_invitation
from service.chassis.application.accounts import Accounts
from service.chassis.application.audit import Actor
from service.chassis.application.background import Background
from service.chassis.application.capability import CapabilityKey
from service.chassis.application.database import Database
from service.chassis.application.members import invite_owner
from service.chassis.application.system import SystemDoor, create_tenant
from service.chassis.application.tables import OPEN_TENANT, Tenant
from service.chassis.errors import NotFound
from service.chassis.identity import TenantId
from service.chassis.settings import Settings

OPERATOR = "operator"


async def found(settings: Settings, name: str, owner_email: str) -> TenantId:
    """It begins with one invited owner; everybody else is invited by members."""
    door = SystemDoor(settings.database)
    try:
        tenant_id = await create_tenant(door, actor=OPERATOR, name=name)
    finally:
        await door.close()
    await invite(settings, tenant_id, owner_email)
    return tenant_id


async def invite(settings: Settings, tenant_id: TenantId, owner_email: str) -> None:
    """An owner for a tenant that has none yet; once more, if the letter got lost."""
    database = Database(settings.database, CapabilityKey.of(settings.tenancy))
    try:
        async with database.transaction(tenant_id) as session:
            if await session.scalar(OPEN_TENANT) is None:
                raise NotFound(f"There is no tenant {tenant_id}, or it is suspended.")
            owner = await invite_owner(session, OPERATOR, owner_email)
        if settings.offers_accounts:
            accounts = Accounts.of(settings, database, Background())
            await send_invitation(accounts, tenant_id, Actor(OPERATOR), owner, owner_email)
    finally:
        await database.engine.dispose()


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
