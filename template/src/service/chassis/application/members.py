"""The people of a tenant: who they are, what they may do, and who decides that."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Row,
    UniqueConstraint,
    bindparam,
    case,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert as insert_or
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from service.chassis.application.audit import Actor, record
from service.chassis.application.session_rows import END_OF_MEMBER
from service.chassis.application.tables import Table, TenantOwned, table_of
from service.chassis.application.tenancy import Tenancy
from service.chassis.application.ways_in import WITHDRAW_LETTERS, has_proof
from service.chassis.errors import Conflict, Forbidden, NotFound
from service.chassis.identity import Action, Caller, MemberId, Permission, Role

READ_MEMBERS = Permission("members", Action.READ)
ADMINISTER_MEMBERS = Permission("members", Action.ADMINISTER)
OWN_TENANT = Permission("members", Action.OWN)


class Member(TenantOwned, Table):
    __tablename__ = "members"
    __table_args__ = (
        UniqueConstraint("tenant_id", "email"),
        CheckConstraint("role IN ('viewer', 'editor', 'admin', 'owner')", name="role"),
        CheckConstraint("state IN ('invited', 'active', 'disabled')", name="state"),
    )

    email: Mapped[str]
    name: Mapped[str]
    role: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="invited")
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class Identity(TenantOwned, Table):
    """Who a member is at an identity provider."""

    __tablename__ = "identities"
    __table_args__ = (
        UniqueConstraint("tenant_id", "issuer", "subject"),
        ForeignKeyConstraint(
            ["tenant_id", "member_id"], ["members.tenant_id", "members.id"], ondelete="CASCADE"
        ),
    )

    member_id: Mapped[UUID]
    issuer: Mapped[str]
    subject: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


MEMBERS = table_of(Member)
member = MEMBERS.c
# What colleagues see of each other; how to reach or to find out about somebody is not in it.
DIRECTORY = (member.id, member.name, member.role, member.created_at)
SHOWN = (*DIRECTORY, member.email, member.state)
ONE = member.id == bindparam("member_id")
READ, READ_COLLEAGUE = select(*SHOWN).where(ONE), select(*DIRECTORY).where(ONE)
BY_EMAIL = select(*SHOWN).where(member.email == bindparam("email"))
LOCKED = READ.with_for_update()
IN_ORDER = (member.created_at, member.id)
OLDEST = select(*SHOWN).order_by(*IN_ORDER).limit(bindparam("count"))
LATER_THAN = tuple_(*IN_ORDER) > tuple_(bindparam("created_at"), bindparam("id"))
INVITE = insert_or(MEMBERS).on_conflict_do_nothing().returning(*SHOWN)
CHANGE = update(MEMBERS).where(member.id == bindparam("member_id")).returning(*SHOWN)
CHANGE_ROLE = CHANGE.values(role=bindparam("new_role"))
DISABLE = CHANGE.values(state="disabled")
JOIN = CHANGE.values(state="active")
# Who never joined is invited still.
ENABLE = CHANGE.where(member.state == "disabled").values(
    state=case((has_proof(member.id), "active"), else_="invited")
)
KNOW = insert_or(table_of(Identity)).on_conflict_do_nothing().returning(table_of(Identity).c.id)
# In one order, so that two owners who remove each other wait instead of both succeeding.
OWNERS = (
    select(member.id)
    .where(member.role == Role.OWNER, member.state == "active")
    .order_by(member.id)
    .with_for_update()
)

MemberRow = Row[*tuple[Any, ...]]


def sees_all(caller: Caller) -> bool:
    """Whether a caller sees more of members than the directory."""
    return caller.may(ADMINISTER_MEMBERS)


async def list_members(
    tenancy: Tenancy, count: int, after: list[str] | None
) -> tuple[Sequence[MemberRow], list[str] | None]:
    asked = OLDEST if sees_all(tenancy.caller) else OLDEST.with_only_columns(*DIRECTORY)
    values: dict[str, Any] = {"count": count + 1}
    if after:
        asked = asked.where(LATER_THAN)
        values |= {"created_at": datetime.fromisoformat(after[0]), "id": UUID(after[1])}
    async with tenancy.transaction(READ_MEMBERS) as session:
        rows = (await session.execute(asked, values)).all()
    shown = rows[:count]
    more = len(rows) > count
    return shown, [shown[-1].created_at.isoformat(), str(shown[-1].id)] if more else None


async def read_member(tenancy: Tenancy, member_id: UUID) -> MemberRow:
    asked = READ if sees_all(tenancy.caller) else READ_COLLEAGUE
    async with tenancy.transaction(READ_MEMBERS) as session:
        found = (await session.execute(asked, {"member_id": member_id})).one_or_none()
    return _present(found)


async def invite_member(tenancy: Tenancy, email: str, name: str, role: Role) -> MemberRow:
    """They become active when they first sign in with this address."""
    _require_rank(tenancy, role)
    async with tenancy.transaction(ADMINISTER_MEMBERS) as session:
        values = {"email": email, "name": name, "role": role.value}
        invited = (await session.execute(INVITE, values)).one_or_none()
        if invited is None:
            raise Conflict("There is a member with this address already.")
        await record(session, Actor.of(tenancy), "member.invited", invited.id, role)
    return invited


async def invite_owner(session: AsyncSession, operator: str, email: str) -> UUID:
    """By whoever operates the service; safe to repeat until the owner joins."""
    # Everybody in the tenant sees the name, and not the address.
    values = {"email": email, "name": email.partition("@")[0], "role": Role.OWNER.value}
    if invited := (await session.execute(INVITE, values)).one_or_none():
        await record(session, Actor(operator), "owner.invited", invited.id)
        return UUID(str(invited.id))
    known = (await session.execute(BY_EMAIL, {"email": email})).one()
    if (known.state, known.role) != ("invited", Role.OWNER):
        raise Conflict(f"{email} is in this tenant already: {known.role}, {known.state}.")
    return UUID(str(known.id))


async def change_role(tenancy: Tenancy, member_id: UUID, role: Role) -> MemberRow:
    _require_rank(tenancy, role)
    async with tenancy.transaction(ADMINISTER_MEMBERS) as session:
        before = await _locked(tenancy, session, member_id)
        if role != Role.OWNER:
            await _keep_an_owner(session, member_id)
        values = {"member_id": member_id, "new_role": role.value}
        changed = (await session.execute(CHANGE_ROLE, values)).one()
        moved = f"{before.role} -> {role}"
        await record(session, Actor.of(tenancy), "member.role_changed", member_id, moved)
    return changed


async def disable_member(tenancy: Tenancy, member_id: UUID) -> MemberRow:
    """They stay on record; their sessions end, and no letter lets them in again."""
    async with tenancy.transaction(ADMINISTER_MEMBERS) as session:
        await _locked(tenancy, session, member_id)
        await _keep_an_owner(session, member_id)
        disabled = (await session.execute(DISABLE, {"member_id": member_id})).one()
        await session.execute(END_OF_MEMBER, {"member": member_id, "because": "disabled"})
        await session.execute(WITHDRAW_LETTERS, {"member": member_id})
        await record(session, Actor.of(tenancy), "member.disabled", member_id)
    return disabled


async def enable_member(tenancy: Tenancy, member_id: UUID) -> MemberRow:
    async with tenancy.transaction(ADMINISTER_MEMBERS) as session:
        before = await _locked(tenancy, session, member_id)
        enabled = (await session.execute(ENABLE, {"member_id": member_id})).one_or_none()
        if enabled is not None:
            await record(session, Actor.of(tenancy), "member.enabled", member_id)
    return enabled or before


async def _locked(tenancy: Tenancy, session: AsyncSession, member_id: UUID) -> MemberRow:
    """Owners first, in the order that everyone takes, then the member."""
    await session.execute(OWNERS)
    found = _present((await session.execute(LOCKED, {"member_id": member_id})).one_or_none())
    _require_rank(tenancy, Role(found.role))
    return found


def _present(found: MemberRow | None) -> MemberRow:
    if found is None:
        raise NotFound("There is no such member.")
    return found


def _require_rank(tenancy: Tenancy, role: Role) -> None:
    """Only an owner makes owners, or touches one."""
    if role == Role.OWNER and not tenancy.caller.may(OWN_TENANT):
        raise Forbidden("Only an owner may do this to an owner.")


async def _keep_an_owner(session: AsyncSession, leaving: UUID) -> None:
    owners = (await session.scalars(OWNERS)).all()
    if owners == [leaving]:
        raise Conflict("A tenant needs an owner: make somebody else one first.")


async def member_of_identity(
    session: AsyncSession, issuer: str, subject: str, verified_email: str | None
) -> MemberId | None:
    """The member behind a verified identity; an invited one is joined at the first sign-in."""
    known = (
        select(Identity.member_id)
        .join(Member, Member.id == Identity.member_id)
        .where(Identity.issuer == issuer, Identity.subject == subject, Member.state == "active")
    )
    if (found := await session.scalar(known)) is not None:
        return MemberId(found)
    if verified_email is None:
        return None
    # Beyond ASCII two addresses that fold to one may be two people's.
    email = verified_email.casefold() if verified_email.isascii() else verified_email
    invited = select(Member.id).where(Member.email == email, Member.state == "invited")
    if (found := await session.scalar(invited.with_for_update())) is None:
        return None
    values = {"member_id": found, "issuer": issuer, "subject": subject}
    # An identity stays with its first member, disabled or not.
    if await session.scalar(KNOW, values) is None:
        return None
    await session.execute(JOIN, {"member_id": found})
    return MemberId(found)
