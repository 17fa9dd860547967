"""Work after the request may do what its member may do when it runs, and is refused on record."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from chassis.application.acting import rows, tenancy_of

from callers import Suspend
from service.chassis.app import Service
from service.chassis.application.api_keys import create_key
from service.chassis.application.members import invite_member, list_members
from service.chassis.application.on_behalf import Errand, on_behalf
from service.chassis.application.tenancy import Tenancy
from service.chassis.errors import Forbidden
from service.chassis.identity import Action, Caller, MemberId, Permission, Role, TenantId

WRITE = Permission("deeds", Action.WRITE)
READ = Permission("deeds", Action.READ)
DENIED = """SELECT actor, action, target FROM audit_log
    WHERE action = 'authorization.denied' ORDER BY number"""


Work = Callable[[Tenancy], Awaitable[None]]


class Done(Exception):
    """The work got as far as its effect."""


async def write(tenancy: Tenancy, permission: Permission | None = WRITE) -> None:
    async with tenancy.transaction(permission):
        raise Done


read, whatever = partial(write, permission=READ), partial(write, permission=None)


@pytest.fixture
async def errand(app: Service, acme: TenantId) -> Errand:
    """Of somebody who was an editor when it was asked for."""
    return Errand.of(await tenancy_of(app, acme, Role.EDITOR), "deeds.tidy")


@pytest.fixture
def runs(app: Service) -> Callable[..., Awaitable[None]]:
    async def run(errand: Errand, work: Work = write) -> None:
        given = app.state.given
        async with on_behalf(given["database"], given["intelligence"], errand) as tenancy:
            await work(tenancy)

    return run


async def change(app: Service, errand: Errand, what: str) -> None:
    sql = f"UPDATE members SET {what} WHERE id = CAST(CAST(:id AS text) AS uuid)"
    await rows(app, errand.tenant_id, sql, id=str(errand.member_id))


@pytest.mark.case("Z-06")
async def test_it_does_what_its_member_may_do(app: Service, errand: Errand, runs: Any) -> None:
    with pytest.raises(Done):
        await runs(errand)
    await change(app, errand, "role = 'viewer'")
    with pytest.raises(Done):
        await runs(errand, read)
    assert await rows(app, errand.tenant_id, DENIED) == []


@pytest.mark.case("Z-06")
@pytest.mark.parametrize("what", ["role = 'viewer'", "state = 'disabled'", "state = 'invited'"])
async def test_who_may_no_longer_when_it_runs_is_refused_on_record(
    app: Service, errand: Errand, runs: Any, what: str
) -> None:
    await change(app, errand, what)
    with pytest.raises(Forbidden):
        await runs(errand)
    refused = (str(errand.member_id), "authorization.denied", "deeds.tidy")
    assert await rows(app, errand.tenant_id, DENIED) == [refused]


@pytest.mark.case("Z-06")
@pytest.mark.parametrize("what", ["role = 'viewer'", "state = 'disabled'"])
async def test_who_loses_the_right_while_it_runs_is_refused_at_the_next_block(
    app: Service, errand: Errand, runs: Any, what: str
) -> None:
    async def demoted_meanwhile(tenancy: Tenancy) -> None:
        with pytest.raises(Done):
            await write(tenancy)
        await change(app, errand, what)
        await write(tenancy)

    with pytest.raises(Forbidden):
        await runs(errand, demoted_meanwhile)
    assert len(await rows(app, errand.tenant_id, DENIED)) == 1


@pytest.mark.case("Z-06")
async def test_for_a_suspended_tenant_nothing_is_done(
    errand: Errand, runs: Any, suspend: Suspend
) -> None:
    await suspend(errand.tenant_id)
    with pytest.raises(Forbidden, match="No active member"):
        await runs(errand)
    await suspend(errand.tenant_id, back=True)
    with pytest.raises(Done):
        await runs(errand)


@pytest.mark.case("Z-06")
async def test_nobody_else_stands_behind_it(
    app: Service, errand: Errand, runs: Any, rival: TenantId
) -> None:
    """A machine's key, another tenant's member, a member that never was."""
    owner = await tenancy_of(app, errand.tenant_id, Role.OWNER)
    key, _ = await create_key(owner, "k", Role.EDITOR, ["deeds:write"], timedelta(days=1))
    theirs = await tenancy_of(app, rival, Role.OWNER)
    for nobody in (key.id, UUID(theirs.caller.subject), uuid4()):
        with pytest.raises(Forbidden, match="No active member"):
            await runs(replace(errand, member_id=MemberId(nobody)))
    assert len(await rows(app, errand.tenant_id, DENIED)) == 3


@pytest.mark.case("Z-06")
async def test_it_may_no_more_than_the_credential_that_asked_for_it(
    app: Service, acme: TenantId, runs: Any
) -> None:
    scopes = frozenset({str(READ)})
    limited = await tenancy_of(app, acme, Role.EDITOR, scopes=scopes)
    errand = Errand.of(limited, "deeds.tidy")
    with pytest.raises(Done):
        await runs(errand, read)
    with pytest.raises(Forbidden, match="deeds:write"):
        await runs(errand)


@pytest.mark.case("Z-06")
async def test_work_that_does_not_say_what_it_needs_is_refused(errand: Errand, runs: Any) -> None:
    """In a request the guard has asked before; here is none."""
    with pytest.raises(Forbidden, match="must name the permission"):
        await runs(errand, whatever)


@pytest.mark.case("Z-06")
async def test_use_cases_ask_it_like_anybody_and_it_never_administers(
    app: Service, acme: TenantId, runs: Any
) -> None:
    async def invite(tenancy: Tenancy) -> None:
        assert await list_members(tenancy, 9, None)
        await invite_member(tenancy, "x@example.org", "x", Role.VIEWER)

    owner = await tenancy_of(app, acme, Role.OWNER)
    with pytest.raises(Forbidden, match="Only a person"):
        await runs(Errand.of(owner, "members.tidy"), invite)
    members, _ = await list_members(owner, 9, None)
    assert [str(member.id) for member in members] == [owner.caller.subject]


async def test_a_caller_that_is_no_member_gives_no_errand(acme: TenantId) -> None:
    nobody: Any = None
    webhook = Tenancy(Caller("webhook:bank", acme, Role.EDITOR), nobody, nobody)
    with pytest.raises(Forbidden, match="Only for a member"):
        Errand.of(webhook, "deeds.tidy")
