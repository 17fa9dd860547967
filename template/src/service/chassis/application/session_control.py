"""Which sessions there are, and ending them: one's own, or anybody's as an administrator."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, func, select

from service.chassis.application.audit import Actor, record
from service.chassis.application.members import Member
from service.chassis.application.session_rows import END, END_OF_MEMBER, END_ONE, SignInSession
from service.chassis.application.tables import table_of
from service.chassis.application.tenancy import Tenancy
from service.chassis.errors import NotFound
from service.chassis.identity import Action, Permission

USE_SESSIONS = Permission("sessions", Action.READ)
ADMINISTER_SESSIONS = Permission("sessions", Action.ADMINISTER)

session_ = table_of(SignInSession).c
OWN = (
    select(
        session_.id,
        session_.methods,
        session_.address,
        session_.created_at,
        session_.refreshed_at,
        session_.expires_at,
    )
    .where(
        session_.member_id == bindparam("member"),
        session_.ended_at.is_(None),
        session_.expires_at > func.now(),
    )
    .order_by(session_.refreshed_at.desc(), session_.id)
    .limit(200)
)
OWNER = select(session_.member_id).where(session_.id == bindparam("session"))

SessionRow = Row[*tuple[Any, ...]]


async def list_own_sessions(tenancy: Tenancy) -> Sequence[SessionRow]:
    async with tenancy.transaction(USE_SESSIONS) as session:
        return (await session.execute(OWN, {"member": tenancy.caller.member_id})).all()


async def end_session(tenancy: Tenancy, session_id: UUID) -> None:
    """The present one freely, others of one's own with a fresh sign-in; an administrator anybody's.

    Somebody else's answers like none.
    """
    caller, me = tenancy.caller, tenancy.caller.member_id
    async with tenancy.transaction(USE_SESSIONS) as session:
        owner = await session.scalar(OWNER, {"session": session_id})
        if owner is None or (owner != me and not caller.may(ADMINISTER_SESSIONS)):
            raise NotFound("There is no such session.")
        if owner != me:
            caller.require(ADMINISTER_SESSIONS)
        elif session_id != caller.session_id:
            # Who stole a session must not throw its owner out of the others.
            caller.require_fresh_sign_in()
        ended = {"session": session_id, "because": "ended by " + caller.subject}
        if (await session.execute(END_ONE, ended)).one_or_none() is not None:
            await record(session, Actor.of(tenancy), "session.ended", session_id)


async def end_sessions_of_member(tenancy: Tenancy, member_id: UUID) -> None:
    async with tenancy.transaction(ADMINISTER_SESSIONS) as session:
        if await session.get(Member, (tenancy.caller.tenant_id, member_id)) is None:
            raise NotFound("There is no such member.")
        await session.execute(END_OF_MEMBER, {"member": member_id, "because": "administrator"})
        await record(session, Actor.of(tenancy), "member.signed_out", member_id)


async def end_all_sessions(tenancy: Tenancy) -> None:
    """Everybody in the tenant, the caller too."""
    async with tenancy.transaction(ADMINISTER_SESSIONS) as session:
        await session.execute(END, {"because": "administrator"})
        await record(session, Actor.of(tenancy), "tenant.signed_out")
