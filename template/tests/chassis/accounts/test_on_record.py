"""Each proof of who somebody is, and each failure, is on record once: who, where, which trace."""

from uuid import uuid4

import pytest
from chassis.accounts.people import OTHER, World
from chassis.accounts.scenes import (
    ENDED,
    EVENTS,
    EXPIRED,
    OLD,
    PASSKEYS,
    Act,
    Scene,
    event,
    made_up,
    with_wrong_secret,
)
from chassis.accounts.test_totp import code

NEW = "eleven amber otters, 3 kites"
# A transaction's own row, in the tenant's own record.
NEWEST = """SELECT to_jsonb(l) FROM audit_log l
    WHERE number > CAST(CAST(:after AS text) AS bigint) ORDER BY number"""
COUNT = "SELECT coalesce(max(number), 0) FROM audit_log"


@event(200, "session.opened", "pwd")
async def a_sign_in(scene: Scene) -> Act:
    return scene.sign_in()


@event(401, "sign_in.failed", "password", "stranger")
async def a_wrong_password(scene: Scene) -> Act:
    return scene.sign_in(OTHER)


@event(401, "sign_in.failed", "password", "stranger")
async def an_unknown_account(scene: Scene) -> Act:
    return scene.world.sign_in(f"{uuid4().hex}@example.org", OTHER, scene.address)


@event(401, "sign_in.failed", "second factor", "stranger")
async def a_wrong_second_factor(scene: Scene) -> Act:
    await scene.enrol()
    return scene.sign_in(totp="000000")


@event(401, "sign_in.second_factor_asked", "", "stranger")
async def a_password_without_its_second_factor(scene: Scene) -> Act:
    await scene.enrol()
    return scene.sign_in()


@event(200, "session.opened", "pwd otp")
async def a_sign_in_with_both_factors(scene: Scene) -> Act:
    return scene.sign_in(totp=code(await scene.enrol()))


@event(200, "session.refreshed", "")
async def a_refresh(scene: Scene) -> Act:
    return scene.refresh()


@event(401, "session.refresh_refused", "wrong secret", "stranger")
async def a_refresh_with_a_wrong_secret(scene: Scene) -> Act:
    return scene.refresh(with_wrong_secret(scene.tokens["refresh_token"]))


@event(401, "session.refresh_refused", "wrong secret", "stranger")
async def a_refresh_with_a_made_up_token(scene: Scene) -> Act:
    return scene.refresh(made_up(scene.tokens["refresh_token"]))


@event(401, "session.refresh_refused", "no longer good")
async def a_refresh_after_the_end(scene: Scene) -> Act:
    await scene.world.run(ENDED)
    return scene.refresh()


@event(401, "session.refresh_token_reused", "")
async def a_copied_refresh_token(scene: Scene) -> Act:
    child = (await scene.refresh()).json()["refresh_token"]
    await scene.refresh(child)
    return scene.refresh()


@event(401, "session.refused", "")
async def an_access_token_after_the_end(scene: Scene) -> Act:
    await scene.world.run(ENDED)
    return scene.client().get("/v1/notes")


@event(204, "session.ended", "")
async def a_sign_out(scene: Scene) -> Act:
    return scene.client().delete(f"/v1/sessions/{await scene.session()}")


@event(204, "session.ended", "")
async def a_sign_out_of_a_browser(scene: Scene) -> Act:
    return scene.client().post("/v1/browser/sign-out")


@event(401, "api_key.refused", "wrong secret", "stranger")
async def a_key_with_a_wrong_secret(scene: Scene) -> Act:
    _, key = await scene.key()
    return scene.client(with_wrong_secret(key)).get("/v1/notes")


@event(401, "api_key.refused", "no longer good", "stranger")
async def a_key_that_expired(scene: Scene) -> Act:
    _, key = await scene.key()
    await scene.world.run(EXPIRED)
    return scene.client(key).get("/v1/notes")


@event(401, "api_key.refused", "no such key", "stranger")
async def a_key_that_never_was(scene: Scene) -> Act:
    _, key = await scene.key()
    return scene.client(made_up(key)).get("/v1/notes")


@event(403, "authorization.denied", "")
async def a_route_that_the_role_may_not_use(scene: Scene) -> Act:
    return scene.client().get("/v1/audit")


@event(403, "authorization.denied", "")
async def an_owner_touched_by_an_administrator(scene: Scene) -> Act:
    await scene.world.run("UPDATE members SET role = 'owner'")
    admin = await Scene.begun(scene.world, "admin")
    admin.address, owner, scene.member = scene.address, scene.member, admin.member
    return admin.client().post(f"/v1/members/{owner}/disable")


@event(401, "authorization.sign_in_again", "")
async def an_administrator_who_proved_it_long_ago(scene: Scene) -> Act:
    await scene.world.run("UPDATE members SET role = 'admin'")
    await scene.world.run(OLD)
    return scene.client().get("/v1/audit")


@event(401, "authorization.sign_in_again", "")
async def a_member_who_proved_it_long_ago(scene: Scene) -> Act:
    await scene.world.run(OLD)
    return scene.client().post("/v1/account/totp")


@event(204, "password.changed", "")
async def a_new_password(scene: Scene) -> Act:
    password = scene.secrets[0]
    scene.secrets.append(NEW)
    return scene.client().put("/v1/account/password", json={"old": password, "new": NEW})


@event(422, "password.change_refused", "")
async def a_new_password_without_the_old(scene: Scene) -> Act:
    return scene.client().put("/v1/account/password", json={"old": OTHER, "new": NEW})


@event(200, "totp.begun", "")
async def codes_begun(scene: Scene) -> Act:
    return scene.client().post("/v1/account/totp")


@event(200, "totp.enrolled", "")
async def codes_confirmed(scene: Scene) -> Act:
    secret = str((await scene.client().post("/v1/account/totp")).json()["secret"])
    return scene.client().post("/v1/account/totp/confirm", json={"code": code(secret)})


@event(204, "totp.removed", "")
async def codes_removed(scene: Scene) -> Act:
    await scene.enrol()
    return scene.client().delete("/v1/account/totp")


@event(201, "passkey.added", "phone")
async def a_passkey(scene: Scene) -> Act:
    return scene.register()


@event(204, "passkey.removed")
async def a_passkey_removed(scene: Scene) -> Act:
    added = (await scene.register()).json()["id"]
    return scene.client().delete(f"{PASSKEYS}/{added}")


@event(200, "session.opened", "passkey")
async def a_sign_in_with_a_passkey(scene: Scene) -> Act:
    await scene.register()
    return scene.passkey(right=True)


@event(401, "sign_in.failed", "passkey", "stranger")
async def a_sign_in_with_a_forged_passkey(scene: Scene) -> Act:
    await scene.register()
    return scene.passkey(right=False)


@pytest.mark.example
@pytest.mark.parametrize("name", EVENTS)
async def test_it_is_on_record_exactly_once(world: World, name: str) -> None:
    expected = EVENTS[name]
    scene = await Scene.begun(world)
    act = await expected.prepared(scene)
    world.app.state.given["credentials"]._remembered.clear()
    (before,) = await world.run(COUNT)
    answer = await act
    assert answer.status_code == expected.status, answer.text
    rows = await world.run(NEWEST, after=str(before))
    assert [row["action"] for row in rows] == [expected.action]
    (row,) = rows
    assert row["actor"] == (str(scene.member) if expected.actor == "member" else "stranger")
    assert row["tenant_id"] == str(world.tenant)
    assert (row["address"], row["trace_id"]) == (scene.address, answer.headers["x-trace-id"])
    assert expected.detail in (None, row["detail"])


async def test_no_secret_is_on_record(world: World) -> None:
    scene = await Scene.begun(world)
    for one in EVENTS.values():
        scene = await Scene.begun(world)
        await (await one.prepared(scene))
        said = str(await world.run(NEWEST, after="0"))
        assert [secret for secret in scene.secrets if secret in said] == []
    assert len(EVENTS) > 25
