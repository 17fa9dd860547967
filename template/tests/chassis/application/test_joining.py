"""Who signs in with a proven identity: the member behind it, and an invited one once."""

import time
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import insert, text

from callers import Client
from service.chassis.app import Service
from service.chassis.application.database import Database
from service.chassis.application.founding import found, suspend
from service.chassis.application.joining import Joining, ProvenIdentity
from service.chassis.application.members import Member
from service.chassis.errors import Forbidden, Unauthenticated
from service.chassis.identity import Role, TenantId
from service.chassis.settings import Settings


@pytest.fixture
def joining(app: Service) -> Joining:
    found: Joining = app.state.given["joining"]
    return found


@pytest.fixture
async def owner(settings: Settings) -> ProvenIdentity:
    """The invited owner of a new tenant, as a provider proves them."""
    email = f"{uuid4().hex}@example.org"
    tenant_id = await found(settings, "founded", email)
    return ProvenIdentity(tenant_id, "https://idp.example", uuid4().hex, email, "fed")


async def test_the_invited_owner_of_a_new_tenant_joins_and_comes_back(
    joining: Joining, owner: ProvenIdentity
) -> None:
    first = await joining.sign_in(owner, "192.0.2.1")
    again = await joining.sign_in(replace(owner, email=None), "192.0.2.1")
    assert first.member_id == again.member_id
    assert first.session_id != again.session_id


async def test_a_proof_at_the_provider_is_as_old_here(
    joining: Joining, owner: ProvenIdentity
) -> None:
    now = int(time.time())
    asked = [replace(owner, proven_at=at) for at in (now - 3600, now + 3600, None)]
    old, ahead, unsaid = [await joining.sign_in(each, "192.0.2.1") for each in asked]
    assert old.authenticated_at.timestamp() == now - 3600
    for granted in (ahead, unsaid):
        assert abs(granted.authenticated_at.timestamp() - now) < 60, "never ahead of its time"


@pytest.mark.parametrize(
    "email",
    [
        pytest.param(None, id="an address that nobody verified"),
        pytest.param("somebody@else.example", id="another address"),
    ],
)
async def test_nobody_joins_without_an_invitation(
    joining: Joining, owner: ProvenIdentity, database: Database, email: str | None
) -> None:
    with pytest.raises(Forbidden):
        await joining.sign_in(replace(owner, email=email), "192.0.2.1")
    async with database.transaction(owner.tenant_id) as session:
        events = (await session.scalars(text("SELECT action FROM audit_log ORDER BY number"))).all()
    assert events == ["owner.invited", "invitation.sent", "sign_in.refused"]


async def test_an_invitation_is_good_for_the_first_identity_only(
    joining: Joining, owner: ProvenIdentity
) -> None:
    await joining.sign_in(owner, "192.0.2.1")
    with pytest.raises(Forbidden):
        await joining.sign_in(replace(owner, subject="a second account"), "192.0.2.1")
    with pytest.raises(Forbidden):
        await joining.sign_in(replace(owner, issuer="https://evil.example"), "192.0.2.1")


async def invited(database: Database, tenant_id: TenantId, email: str) -> None:
    values = {"email": email, "name": "x", "role": "viewer"}
    async with database.transaction(tenant_id) as session:
        await session.execute(insert(Member).values(values))


async def test_an_identity_stays_with_its_first_member(
    joining: Joining, owner: ProvenIdentity, database: Database
) -> None:
    """Disabled, and invited under another address: refused and on record, not broken."""
    await joining.sign_in(owner, "192.0.2.1")
    again = replace(owner, email=f"{uuid4().hex}@example.org")
    async with database.transaction(owner.tenant_id) as session:
        await session.execute(text("UPDATE members SET state = 'disabled'"))
    await invited(database, owner.tenant_id, str(again.email))
    with pytest.raises(Forbidden):
        await joining.sign_in(again, "192.0.2.1")
    async with database.transaction(owner.tenant_id) as session:
        last = text("SELECT action FROM audit_log ORDER BY number DESC LIMIT 1")
        assert await session.scalar(last) == "sign_in.refused"
        states = text("SELECT state FROM members ORDER BY created_at")
        assert (await session.scalars(states)).all() == ["disabled", "invited"]


async def test_case_makes_no_other_address(
    joining: Joining, owner: ProvenIdentity, database: Database
) -> None:
    await invited(database, owner.tenant_id, "ida@example.org")
    spelled = replace(owner, subject=uuid4().hex, email="Ida@EXAMPLE.org")
    assert await joining.sign_in(spelled, "192.0.2.1")


@pytest.mark.parametrize(
    "pair",
    [
        ("ida@strasse.example", "ida@stra\u00dfe.example"),
        ("kim@example.org", "\u212aim@example.org"),
    ],
)
async def test_what_only_folds_to_an_address_is_another(
    joining: Joining, owner: ProvenIdentity, database: Database, pair: tuple[str, str]
) -> None:
    await invited(database, owner.tenant_id, pair[0])
    with pytest.raises(Forbidden):
        await joining.sign_in(replace(owner, subject=uuid4().hex, email=pair[1]), "192.0.2.1")


async def test_an_identity_of_one_tenant_is_nobody_in_another(
    joining: Joining, owner: ProvenIdentity, acme: TenantId
) -> None:
    await joining.sign_in(owner, "192.0.2.1")
    with pytest.raises(Forbidden):
        await joining.sign_in(replace(owner, tenant_id=acme), "192.0.2.1")


async def test_a_suspended_tenant_lets_nobody_in_until_it_is_resumed(
    app: Service, settings: Settings, ana: Client
) -> None:
    granted = await ana.me.sign_in()
    asked = granted.tenant_id, granted.member_id, granted.session_id
    standing = app.state.given["credentials"]._standing
    await suspend(settings, granted.tenant_id, suspended=True)
    with pytest.raises(Unauthenticated):
        await standing.in_session(*asked)
    await suspend(settings, granted.tenant_id, suspended=False)
    assert (await standing.in_session(*asked)).role == Role.EDITOR
