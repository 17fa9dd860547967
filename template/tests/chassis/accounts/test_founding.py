"""The first owner of a tenant gets in: a new tenant's, and one's that is older than its members."""

from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import pytest
from chassis.accounts.people import PASSWORD, World

from service.chassis import tenants
from service.chassis.application.founding import found, invite, suspend
from service.chassis.errors import Conflict, NotFound
from service.chassis.identity import TenantId
from service.chassis.settings import Settings

EMAIL = "first@example.org"


async def joins(world: World, email: str) -> None:
    accepted = {"token": await world.token(email), "password": PASSWORD}
    assert (await world.post("/accounts/accept-invitation", accepted)).status_code < 300
    assert (await world.sign_in(email, PASSWORD)).status_code == 200


async def test_the_owner_of_a_new_tenant_gets_a_letter_and_gets_in(
    settings: Settings, world: World
) -> None:
    email = f"{uuid4().hex}@example.org"
    new = World(world.app, await found(settings, "founded", email), world.outbox)
    await joins(new, email)
    owner = await new.as_member(email)
    assert [member["role"] for member in (await owner.get("/v1/members")).json()["items"]] == [
        "owner"
    ]


async def test_a_lost_letter_is_sent_once_more_and_makes_no_second_owner(
    settings: Settings, world: World
) -> None:
    email = f"{uuid4().hex}@example.org"
    for _ in range(2):
        await invite(settings, world.tenant, email)
    assert len(await world.letters(email)) == 2
    assert await world.events(await world.id_of(email)) == [
        "owner.invited",
        "invitation.sent",
        "invitation.sent",
    ]
    await joins(world, email)
    with pytest.raises(Conflict, match="owner, active"):
        await invite(settings, world.tenant, email)


async def test_nobody_becomes_an_owner_by_the_way(settings: Settings, world: World) -> None:
    editor = await world.member(state="invited")
    with pytest.raises(Conflict, match="editor, invited"):
        await invite(settings, world.tenant, editor)
    assert await world.letters(editor) == []


async def test_there_must_be_such_a_tenant_and_it_must_be_open(
    settings: Settings, acme: TenantId
) -> None:
    with pytest.raises(NotFound, match="There is no tenant"):
        await invite(settings, TenantId(uuid4()), EMAIL)
    await suspend(settings, acme, suspended=True)
    with pytest.raises(NotFound, match="suspended"):
        await invite(settings, acme, EMAIL)


def test_the_commands_found_suspend_and_resume(
    environment: Mapping[str, str],
    outbox: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    email = f"{uuid4().hex}@example.org"

    def letters() -> int:
        return sum(f"To: {email}" in letter.read_text("utf-8") for letter in outbox.glob("*.eml"))

    tenants.main(["found", "Acme", email.upper()])
    tenant_id = capsys.readouterr().out.strip().splitlines()[-1]
    assert letters() == 1
    tenants.main(["suspend", tenant_id])
    with pytest.raises(NotFound, match="suspended"):
        tenants.main(["invite-owner", tenant_id, email])
    tenants.main(["resume", tenant_id])
    tenants.main(["invite-owner", tenant_id, email])
    assert letters() == 2
