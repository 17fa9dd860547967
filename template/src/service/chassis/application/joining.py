"""From a proven identity to a session: who signs in, if a member is behind it."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from service.chassis.application.audit import Actor, record
from service.chassis.application.database import Database
from service.chassis.application.members import Member, member_of_identity
from service.chassis.application.sessions import Granted, Sessions
from service.chassis.errors import Forbidden
from service.chassis.identity import MemberId, TenantId


@dataclass(frozen=True)
class ProvenIdentity:
    """What an identity provider vouches for; `email` only if it verified the address."""

    tenant_id: TenantId
    issuer: str
    subject: str
    email: str | None
    methods: str
    # When the person last proved it there, if the provider says so.
    proven_at: int | None = None


class Joining:
    def __init__(self, database: Database, sessions: Sessions) -> None:
        self._database = database
        self._sessions = sessions

    async def sign_in(self, proven: ProvenIdentity, address: str) -> Granted:
        async with self._database.transaction(proven.tenant_id) as session:
            member_id = await _active_member(session, proven)
            if member_id is None:
                stranger = Actor(f"{proven.issuer}#{proven.subject}", address)
                await record(session, stranger, "sign_in.refused")
            else:
                actor = Actor(str(member_id), address)
                return await self._sessions.open(
                    session,
                    proven.tenant_id,
                    member_id,
                    proven.methods,
                    actor,
                    proven_at=proven.proven_at,
                )
        # Outside the block, so that the record of the refusal stays.
        raise Forbidden("You are no member here; ask an administrator to invite you.")


async def _active_member(session: AsyncSession, proven: ProvenIdentity) -> MemberId | None:
    member_id = await member_of_identity(session, proven.issuer, proven.subject, proven.email)
    if member_id is None:
        return None
    active = select(Member.id).where(Member.id == member_id, Member.state == "active")
    found = await session.scalar(active)
    return MemberId(found) if found else None
