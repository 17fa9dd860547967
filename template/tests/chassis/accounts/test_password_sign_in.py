"""Who knows the password gets in; all others learn nothing, and less the more they ask."""

import asyncio
from uuid import uuid4

import pytest
from chassis.accounts.people import OTHER, PASSWORD, World, quick, somewhere
from chassis.wall.matrix import shape
from sqlalchemy import text

from callers import ClientFor
from service.chassis.application import denials
from service.chassis.application.attempts import neighbourhood
from service.chassis.application.system import SystemDoor, create_tenant
from service.chassis.identity import Role, TenantId


@pytest.mark.example
async def test_the_right_password_opens_a_session_and_is_recorded_once(world: World) -> None:
    email = await world.member()
    answer = await world.sign_in(email.upper(), PASSWORD)
    assert answer.status_code == 200
    headers = {"authorization": f"Bearer {answer.json()['access_token']}"}
    client = await world.as_member(email)
    (first, _) = sorted((await client.get("/v1/sessions")).json(), key=lambda s: s["created_at"])
    assert first["methods"] == "pwd"
    assert (await client.get("/v1/notes", headers=headers)).status_code == 200
    assert await world.events(first["id"]) == ["session.opened"]


@pytest.mark.case("A-17")
async def test_every_refusal_is_the_same(world: World, door: SystemDoor) -> None:
    email = await world.member()
    wrong = await world.sign_in(email, OTHER)
    other = World(world.app, await create_tenant(door, actor="tests", name="x"), world.outbox)
    nowhere = World(world.app, TenantId(uuid4()), world.outbox)
    answers = [
        await world.sign_in(f"{uuid4().hex}@example.org", OTHER),
        await world.sign_in(await world.member("invited"), PASSWORD),
        await world.sign_in(await world.member("disabled"), PASSWORD),
        await other.sign_in(email, PASSWORD),
        await nowhere.sign_in(email, PASSWORD),
        await world.sign_in(email, OTHER, totp="123456"),
    ]
    assert wrong.status_code == 401
    assert [shape(answer) for answer in answers] == [shape(wrong)] * len(answers)
    assert (await world.sign_in(email, PASSWORD)).status_code == 200


async def test_a_failure_is_recorded_once_with_who_and_from_where(world: World) -> None:
    email, address = await world.member(), somewhere()
    await world.sign_in(email, OTHER, address)
    await world.sign_in(f"{uuid4().hex}@example.org", OTHER, address)
    target = await world.id_of(email)
    assert await world.events(target) == ["sign_in.failed"]
    assert await world.events() == ["sign_in.failed"] * 2
    assert await world.run("SELECT DISTINCT address FROM audit_log") == [address]


async def test_a_suspended_tenant_lets_nobody_in(world: World, door: SystemDoor) -> None:
    email = await world.member()
    async with door.open(actor="tests", reason="suspend") as session:
        suspend = text("UPDATE tenants SET suspended_at = now() WHERE id = :id")
        await session.execute(suspend, {"id": world.tenant})
    assert (await world.sign_in(email, PASSWORD)).status_code == 401


@pytest.mark.case("A-16")
async def test_guessing_from_one_address_is_slowed_down_and_slower_each_time(world: World) -> None:
    email, address = await world.member(), somewhere()
    tried = [await world.sign_in(email, OTHER, address) for _ in range(6)]
    assert [answer.status_code for answer in tried] == [401] * 5 + [429]
    assert int(tried[-1].headers["retry-after"]) <= 1
    # Even the right one has to wait there: otherwise waiting would tell right from wrong.
    assert (await world.sign_in(email, PASSWORD, address)).status_code == 429
    waits = []
    for _ in range(12):
        await world.run("UPDATE account_attempts SET opens_at = 'epoch'")
        assert (await world.sign_in(email, OTHER, address)).status_code == 401
        waits.append(int((await world.sign_in(email, OTHER, address)).headers["retry-after"]))
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]


@pytest.mark.case("A-16")
async def test_a_hundred_guesses_at_once_are_no_way_around(world: World) -> None:
    email, address = await world.member(), somewhere()
    answers = await asyncio.gather(*(world.sign_in(email, OTHER, address) for _ in range(40)))
    codes = [answer.status_code for answer in answers]
    # One more after the first second, another after two more.
    assert 5 <= codes.count(401) <= 7
    assert codes.count(401) + codes.count(429) + codes.count(503) == 40


@pytest.mark.case("A-16")
async def test_guessing_from_many_addresses_is_slowed_down_and_the_victim_is_not_locked_out(
    world: World,
) -> None:
    email, home = await world.member(), somewhere()
    assert (await world.sign_in(email, PASSWORD, home)).status_code == 200
    codes = [(await world.sign_in(email, OTHER)).status_code for _ in range(25)]
    assert codes[:20] == [401] * 20
    assert codes.count(429) >= 3
    assert (await world.sign_in(email, PASSWORD)).status_code == 429, "not from anywhere"
    assert (await world.sign_in(email, PASSWORD, home)).status_code == 200


@pytest.mark.case("A-16")
async def test_one_password_tried_on_everybody_is_slowed_down(world: World) -> None:
    address, answers = somewhere(), []
    hashed = await world.accounts.passwords.hash(PASSWORD)
    for _ in range(52):
        email = await world.member(hashed=hashed)
        answers.append((await world.sign_in(email, OTHER, address)).status_code)
    assert answers[:50] == [401] * 50
    assert answers[50:] == [429, 429]
    assert (await world.sign_in(email, PASSWORD)).status_code == 200, "from elsewhere"


async def test_a_success_forgives_ones_own_failures_and_no_others(world: World) -> None:
    email, address = await world.member(), somewhere()
    for _ in range(3):
        for _ in range(4):
            assert (await world.sign_in(email, OTHER, address)).status_code == 401
        assert (await world.sign_in(email, PASSWORD, address)).status_code == 200
    (counted,) = await world.run(
        "SELECT max(failures) FROM account_attempts WHERE free = 50 AND subject IS NOT NULL"
    )
    assert counted == 4, "from the address, before it was known"


def test_a_network_counts_as_one_address() -> None:
    assert neighbourhood("2001:db8:1:2::1") == neighbourhood("2001:db8:1:2:ffff::9")
    assert neighbourhood("2001:db8:1:2::1") != neighbourhood("2001:db8:1:3::1")
    assert neighbourhood("::ffff:192.0.2.1") == neighbourhood("192.0.2.1") == "192.0.2.1"


async def test_a_password_does_not_expire(world: World) -> None:
    email = await world.member()
    await world.run("UPDATE passwords SET changed_at = now() - interval '10 years'")
    assert (await world.sign_in(email, PASSWORD)).status_code == 200


async def test_a_hash_of_older_settings_is_made_anew_at_sign_in(world: World) -> None:
    email = await world.member(hashed=await quick().hash(PASSWORD))
    old = await world.run("SELECT hash FROM passwords")
    assert (await world.sign_in(email, PASSWORD)).status_code == 200
    new = await world.run("SELECT hash FROM passwords")
    assert "t=1" in old[0]
    assert "m=19456,t=2,p=1" in new[0]
    assert (await world.sign_in(email, PASSWORD)).status_code == 200
    assert await world.run("SELECT hash FROM passwords") == new


@pytest.mark.parametrize("proof", ["passwords", "passkeys"])
async def test_who_was_disabled_and_enabled_signs_in_as_before(
    world: World, client_for: ClientFor, proof: str
) -> None:
    email = await world.member()
    member_id = await world.id_of(email)
    if proof == "passkeys":
        await world.run("DELETE FROM passwords WHERE member_id = :m", m=member_id)
        await world.run(
            "INSERT INTO passkeys (member_id, name, credential_id, public_key, sign_count)"
            " VALUES (:m, 'phone', 'id', 'key', 0)",
            m=member_id,
        )
    owner, path = client_for(world.tenant, Role.OWNER), f"/v1/members/{member_id}"
    assert (await owner.post(f"{path}/disable")).json()["state"] == "disabled"
    assert (await owner.post(f"{path}/enable")).json()["state"] == "active"
    code = 200 if proof == "passwords" else 401
    assert (await world.sign_in(email, PASSWORD)).status_code == code


async def test_failures_from_everywhere_do_not_flood_the_record(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(denials, "MOST_ROWS", 5)
    email, near = await world.member(), somewhere()
    for guessed in (email, email, f"{uuid4().hex}@example.org"):
        await world.sign_in(guessed, OTHER, near)
    assert await world.events() == ["sign_in.failed"] * 2, "one for each whom they named"
    codes = [(await world.sign_in(f"{n}@example.org", OTHER)).status_code for n in range(12)]
    assert codes == [401] * 12
    assert await world.events() == ["sign_in.failed"] * 6, "the last one for all others"


@pytest.mark.case("A-17")
async def test_for_the_record_who_is_not_there_counts_like_who_is(world: World) -> None:
    near = somewhere()
    emails = [await world.member(), await world.member(), *(f"{n}@example.org" for n in range(2))]
    for email in emails * 2:
        assert (await world.sign_in(email, OTHER, near)).status_code == 401
    assert await world.events() == ["sign_in.failed"] * 4


async def test_what_was_counted_long_ago_is_forgotten_without_a_success(world: World) -> None:
    for n in range(3):
        await world.sign_in(f"{n}@example.org", OTHER)
    assert await world.run("SELECT count(*) FROM account_attempts") == [9]
    await world.run("UPDATE account_attempts SET counted_at = now() - interval '3 days'")
    await world.sign_in("other@example.org", OTHER)
    assert await world.run("SELECT count(*) FROM account_attempts") == [3]
