"""Members who signed in, for development and tests, past every provider."""

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from service.chassis.application.audit import Actor
from service.chassis.application.database import Database
from service.chassis.application.members import Member
from service.chassis.application.sessions import Granted, Sessions
from service.chassis.identity import MemberId, Role, TenantId


async def signed_in(
    database: Database, sessions: Sessions, tenant_id: TenantId, email: str, role: Role
) -> Granted:
    """Safe to repeat: one member for each address, a new session each time."""
    async with database.transaction(tenant_id) as session:
        values = {"email": email, "name": email, "role": role, "state": "active"}
        await session.execute(insert(Member).values(values).on_conflict_do_nothing())
        known = select(Member.id).where(Member.email == func.lower(email))
        member_id = MemberId((await session.execute(known)).scalar_one())
        actor = Actor(str(member_id), "development")
        return await sessions.open(session, tenant_id, member_id, "development", actor)
