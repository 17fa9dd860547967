"""Who decides about the people of a tenant, and that somebody always can."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest
from chassis.application.acting import rows, tenancy_of

from service.chassis.app import Service
from service.chassis.application import members
from service.chassis.application.database import Database
from service.chassis.application.tenancy import Tenancy
from service.chassis.errors import Conflict, Forbidden, NotFound, ServiceError
from service.chassis.identity import Role, TenantId

ROUNDS = int(os.environ.get("OWNER_ROUNDS", "20"))
OWNERS = "SELECT id FROM members WHERE role = 'owner' AND state = 'active'"
Leave = Callable[[Tenancy, Tenancy], Awaitable[object]]


async def demote(by: Tenancy, who: Tenancy) -> object:
    return await members.change_role(by, who.caller.member_id, Role.EDITOR)


async def disable(by: Tenancy, who: Tenancy) -> object:
    return await members.disable_member(by, who.caller.member_id)


async def outcome(work: Awaitable[object]) -> str:
    try:
        await work
    except ServiceError as refused:
        return refused.code
    return "done"


@pytest.mark.case("Z-07", "C-06")
@pytest.mark.parametrize("leave", [(demote, demote), (disable, disable), (demote, disable)])
@pytest.mark.parametrize("each", ["other", "themselves"])
async def test_of_two_owners_who_remove_at_the_same_time_one_remains(
    app: Service, acme: TenantId, leave: tuple[Leave, Leave], each: str
) -> None:
    for _ in range(ROUNDS):
        await rows(app, acme, "UPDATE members SET role = 'viewer'")
        one, two = [await tenancy_of(app, acme, Role.OWNER) for _ in range(2)]
        targets = (two, one) if each == "other" else (one, two)
        ends = await asyncio.gather(
            outcome(leave[0](one, targets[0])), outcome(leave[1](two, targets[1]))
        )
        assert sorted(ends) == ["conflict", "done"]
        assert len(await rows(app, acme, OWNERS)) == 1


async def test_ten_owners_who_all_leave_at_once_leave_one(app: Service, acme: TenantId) -> None:
    owners = [await tenancy_of(app, acme, Role.OWNER) for _ in range(10)]
    ends = await asyncio.gather(*(outcome(demote(owner, owner)) for owner in owners))
    assert sorted(ends) == ["conflict"] + ["done"] * 9
    assert len(await rows(app, acme, OWNERS)) == 1


async def test_the_last_owner_stays_and_may_go_when_there_is_another(
    app: Service, acme: TenantId
) -> None:
    owner, admin = [await tenancy_of(app, acme, role) for role in (Role.OWNER, Role.ADMIN)]
    for leave in (demote, disable):
        with pytest.raises(Conflict, match="needs an owner"):
            await leave(owner, owner)
    await members.invite_member(owner, "invited@example.org", "x", Role.OWNER)
    with pytest.raises(Conflict):
        await demote(owner, owner)
    await members.change_role(owner, admin.caller.member_id, Role.OWNER)
    assert (await members.change_role(owner, owner.caller.member_id, Role.VIEWER)).role == "viewer"


@pytest.mark.case("Z-07")
async def test_an_administrator_makes_and_touches_no_owner(app: Service, acme: TenantId) -> None:
    owner, admin = [await tenancy_of(app, acme, role) for role in (Role.OWNER, Role.ADMIN)]
    attempts = [
        members.change_role(admin, admin.caller.member_id, Role.OWNER),
        members.change_role(admin, owner.caller.member_id, Role.VIEWER),
        members.invite_member(admin, "o@example.org", "o", Role.OWNER),
        members.disable_member(admin, owner.caller.member_id),
        members.enable_member(admin, owner.caller.member_id),
    ]
    before = await rows(app, acme, "SELECT id, role, state FROM members ORDER BY id")
    for attempt in attempts:
        assert await outcome(attempt) == "forbidden"
    assert await rows(app, acme, "SELECT id, role, state FROM members ORDER BY id") == before
    changed = await members.change_role(admin, admin.caller.member_id, Role.VIEWER)
    assert changed.role == "viewer", "but may step down"


async def test_an_address_is_invited_once_in_a_tenant_and_freely_in_another(
    app: Service, acme: TenantId, rival: TenantId
) -> None:
    ours, theirs = [await tenancy_of(app, tenant, Role.ADMIN) for tenant in (acme, rival)]
    email = f"{uuid4().hex}@example.org"
    invited = await members.invite_member(ours, email, "Ana", Role.VIEWER)
    assert (invited.state, invited.role) == ("invited", "viewer")
    again = [members.invite_member(ours, email, "x", Role.VIEWER) for _ in range(5)]
    assert {await outcome(attempt) for attempt in again} == {"conflict"}
    assert await outcome(members.invite_member(theirs, email, "Ana", Role.VIEWER)) == "done"


async def test_of_many_invitations_at_once_one_is_made(app: Service, acme: TenantId) -> None:
    admin, email = await tenancy_of(app, acme, Role.ADMIN), f"{uuid4().hex}@example.org"
    attempts = [members.invite_member(admin, email, "Ana", Role.VIEWER) for _ in range(10)]
    ends = await asyncio.gather(*(outcome(attempt) for attempt in attempts))
    assert sorted(ends) == ["conflict"] * 9 + ["done"]


@pytest.mark.case("A-08")
async def test_a_disabled_member_has_no_session_and_gets_them_back_by_signing_in(
    app: Service, acme: TenantId
) -> None:
    admin, member = [await tenancy_of(app, acme, role) for role in (Role.ADMIN, Role.EDITOR)]
    bystander = await tenancy_of(app, acme, Role.EDITOR)
    await disable(admin, member)
    live = "SELECT member_id FROM sessions WHERE ended_at IS NULL"
    living = {row[0] for row in await rows(app, acme, live)}
    assert member.caller.member_id not in living
    assert bystander.caller.member_id in living
    await members.enable_member(admin, member.caller.member_id)
    assert {row[0] for row in await rows(app, acme, live)} == living


async def test_nobody_signs_in_as_a_disabled_member_or_with_an_unverified_address(
    app: Service, database: Database, acme: TenantId
) -> None:
    admin = await tenancy_of(app, acme, Role.ADMIN)
    invited = await members.invite_member(admin, "new@example.org", "New", Role.VIEWER)

    async def found(subject: str, email: str | None) -> object:
        async with database.transaction(acme) as session:
            return await members.member_of_identity(session, "https://idp", subject, email)

    assert await found("s", None) is None
    assert await found("s", "other@example.org") is None
    assert await found("s", "new@example.org") == invited.id
    assert await found("s", None) == invited.id
    assert await found("another", "new@example.org") is None, "an invitation joins once"
    await members.disable_member(admin, invited.id)
    assert await found("s", "new@example.org") is None
    assert (await members.enable_member(admin, invited.id)).state == "active"
    assert await found("s", None) == invited.id


async def test_who_never_signed_in_is_invited_again_when_enabled(
    app: Service, acme: TenantId
) -> None:
    admin = await tenancy_of(app, acme, Role.ADMIN)
    invited = await members.invite_member(admin, "new@example.org", "New", Role.VIEWER)
    await members.disable_member(admin, invited.id)
    assert (await members.enable_member(admin, invited.id)).state == "invited"
    assert (await members.enable_member(admin, invited.id)).state == "invited"


async def test_a_rivals_member_is_no_member(app: Service, acme: TenantId, rival: TenantId) -> None:
    ours, theirs = [await tenancy_of(app, tenant, Role.OWNER) for tenant in (acme, rival)]
    for target in (theirs.caller.member_id, uuid4()):
        for attempt in (
            members.read_member(ours, target),
            members.change_role(ours, target, Role.VIEWER),
            members.disable_member(ours, target),
            members.enable_member(ours, target),
        ):
            with pytest.raises(NotFound):
                await attempt


@pytest.mark.case("Z-04")
@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR])
async def test_use_cases_refuse_by_themselves(app: Service, acme: TenantId, role: Role) -> None:
    low = await tenancy_of(app, acme, role)
    for attempt in (
        members.invite_member(low, "x@example.org", "x", Role.VIEWER),
        members.change_role(low, low.caller.member_id, Role.ADMIN),
        members.disable_member(low, low.caller.member_id),
        members.enable_member(low, low.caller.member_id),
    ):
        with pytest.raises(Forbidden):
            await attempt
