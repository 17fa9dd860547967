"""A refresh token is good once; a copy of it ends the session, a lost answer does not."""

from base64 import urlsafe_b64decode
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from chassis.application.refreshing import HERE, dead, later, told
from pydantic import SecretStr

from callers import Client, Suspend
from service.chassis.application.database import Database
from service.chassis.application.sessions import Granted, Secret, Sessions
from service.chassis.errors import TooManyRequests, Unauthenticated
from service.chassis.identity import TenantId
from service.chassis.settings import Settings


async def test_a_refresh_token_is_too_long_to_guess(sessions: Sessions, granted: Granted) -> None:
    next_one = await sessions.refresh(granted.refresh_token, HERE)
    made = [Secret.parse(token) for token in (granted.refresh_token, next_one.refresh_token)]
    assert [len(urlsafe_b64decode(each.secret + "=")) * 8 for each in made] == [256, 256], "bits"
    assert made[0].secret != made[1].secret


@pytest.mark.case("A-09", "A-10")
async def test_each_token_is_good_once_and_the_next_one_works(
    sessions: Sessions, database: Database, granted: Granted
) -> None:
    token = granted.refresh_token
    seen = {token}
    for _ in range(3):
        token = (await sessions.refresh(token, HERE)).refresh_token
        assert token not in seen
        seen.add(token)
    rows = await told(database, granted, "SELECT id FROM refresh_tokens WHERE session_id=:session")
    assert len(rows) == 4


async def test_within_the_grace_the_same_successor_is_given_again(
    sessions: Sessions, granted: Granted
) -> None:
    first = await sessions.refresh(granted.refresh_token, HERE)
    again = await sessions.refresh(granted.refresh_token, HERE)
    assert first == again
    assert not await dead(sessions, again.refresh_token)


@pytest.mark.case("A-09", "A-12")
async def test_after_the_grace_a_copy_ends_the_session_with_its_newest_descendant(
    sessions: Sessions, database: Database, granted: Granted
) -> None:
    child = await sessions.refresh(granted.refresh_token, HERE)
    await later(database, granted, 6)
    assert await dead(sessions, granted.refresh_token)
    assert await dead(sessions, child.refresh_token)
    ended = "SELECT ended_because FROM sessions WHERE id = :session AND ended_at IS NOT NULL"
    assert await told(database, granted, ended) == [("reuse",)]


@pytest.mark.case("A-11", "A-12")
async def test_a_grandparent_ends_the_session_even_within_the_grace(
    sessions: Sessions, database: Database, granted: Granted
) -> None:
    child = await sessions.refresh(granted.refresh_token, HERE)
    newest = await sessions.refresh(child.refresh_token, HERE)
    assert await dead(sessions, granted.refresh_token)
    for token in (newest.refresh_token, child.refresh_token, granted.refresh_token):
        assert await dead(sessions, token)
    said = "SELECT actor, address FROM audit_log WHERE action = 'session.refresh_token_reused'"
    assert await told(database, granted, said) == [(str(granted.member_id), HERE)]


@pytest.mark.case("A-09")
async def test_the_access_token_of_a_session_that_was_copied_is_dead_too(
    sessions: Sessions, database: Database, ana: Client, granted: Granted
) -> None:
    path = "/v1/sessions/" + str(uuid4())
    assert (await ana.delete(path)).status_code == 404
    await sessions.refresh(granted.refresh_token, HERE)
    await later(database, granted, 6)
    assert await dead(sessions, granted.refresh_token)
    ana.me.app.state.given["credentials"]._remembered.clear()
    assert (await ana.delete(path)).status_code == 401


@pytest.mark.case("A-14")
async def test_a_wrong_secret_burns_nothing_and_has_to_wait(
    sessions: Sessions, database: Database, granted: Granted
) -> None:
    right, waits = Secret.parse(granted.refresh_token), []
    for number in range(1000):
        try:
            await sessions.refresh(str(replace(right, secret=f"{number:043d}")), HERE)
        except TooManyRequests as slowed:
            waits.append(slowed.retry_after)
        except Unauthenticated:
            continue
    # The first ones, and one after each wait that is over: 1 s, 2 s, 4 s, …
    assert 980 <= len(waits) <= 995
    assert max(waits) >= 2
    assert not await dead(sessions, granted.refresh_token), "even from that address"
    said = "SELECT actor, address, detail FROM audit_log WHERE action = 'session.refresh_refused'"
    assert await told(database, granted, said) == [("stranger", HERE, "wrong secret")]


@pytest.mark.case("A-14")
async def test_guesses_are_counted_where_they_come_from(
    sessions: Sessions, granted: Granted
) -> None:
    right = Secret.parse(granted.refresh_token)
    wrong = str(replace(right, secret="0" * 43))
    assert [await guessed(sessions, wrong, HERE) for _ in range(6)] == [401] * 5 + [429]
    assert await guessed(sessions, wrong, "192.0.2.2") == 401, "elsewhere nobody guessed"
    made_up = [str(replace(right, token_id=uuid4())) for _ in range(52)]
    codes = [await guessed(sessions, token, "192.0.2.3") for token in made_up]
    assert codes == [401] * 50 + [429] * 2, "one guess each at tokens that are not there"


async def guessed(sessions: Sessions, token: str, address: str) -> int:
    try:
        await sessions.refresh(token, address)
    except TooManyRequests:
        return 429
    except Unauthenticated:
        return 401
    return 200


@pytest.mark.parametrize(
    "sent", ["", "rt_", "x" * 200, "rt_" + "0" * 32 + "_" + "0" * 32 + "_" + "a" * 42, "\0", "é"]
)
async def test_what_is_no_refresh_token_is_refused(sessions: Sessions, sent: str) -> None:
    assert await dead(sessions, sent)


async def test_a_token_opens_no_other_tenant(
    sessions: Sessions, granted: Granted, rival: TenantId
) -> None:
    own = Secret.parse(granted.refresh_token)
    for tenant in (rival, TenantId(uuid4())):
        assert await dead(sessions, str(replace(own, tenant_id=tenant)))
    assert not await dead(sessions, granted.refresh_token)


DAY = 86_400


@pytest.mark.parametrize(("unused_for", "lives"), [(7 * DAY - 60, True), (7 * DAY, False)])
async def test_an_unused_token_ends(
    sessions: Sessions, database: Database, granted: Granted, unused_for: int, *, lives: bool
) -> None:
    await later(database, granted, unused_for)
    assert await dead(sessions, granted.refresh_token) is not lives


async def test_a_session_ends_however_much_it_is_used(
    sessions: Sessions, database: Database, granted: Granted
) -> None:
    token = granted.refresh_token
    for _ in range(4):
        await later(database, granted, 6 * DAY)
        token = (await sessions.refresh(token, HERE)).refresh_token
    await later(database, granted, 6 * DAY)
    assert await dead(sessions, token)


async def test_a_disabled_member_refreshes_nothing_even_if_the_session_was_forgotten(
    sessions: Sessions, database: Database, granted: Granted
) -> None:
    child = await sessions.refresh(granted.refresh_token, HERE)
    await told(database, granted, "UPDATE members SET state = 'disabled'")
    assert await dead(sessions, child.refresh_token)
    await told(database, granted, "UPDATE members SET state = 'active'")
    assert not await dead(sessions, child.refresh_token)


async def test_a_suspended_tenant_refreshes_nothing_until_it_is_back(
    sessions: Sessions, granted: Granted, suspend: Suspend
) -> None:
    await suspend(granted.tenant_id)
    assert await dead(sessions, granted.refresh_token)
    await suspend(granted.tenant_id, back=True)
    assert not await dead(sessions, granted.refresh_token)


async def test_the_database_holds_no_secret(database: Database, granted: Granted) -> None:
    rows = await told(database, granted, "SELECT to_jsonb(r)::text FROM refresh_tokens r")
    secret = Secret.parse(granted.refresh_token)
    assert rows
    assert secret.secret not in str(rows)
    assert secret.hashed.hex() in str(rows)


async def test_a_successor_cannot_be_made_without_the_key(
    database: Database, settings: Settings, sessions: Sessions, granted: Granted
) -> None:
    """Whoever copies the database and knows a spent token does not know the next one."""
    child = await sessions.refresh(granted.refresh_token, HERE)
    other = settings.identity.model_copy(update={"signing_key": SecretStr("fedcba9876543210" * 4)})
    thief = Sessions(database, other)
    parent, child_id = Secret.parse(granted.refresh_token), Secret.parse(child.refresh_token)
    assert thief._derived(parent, UUID(str(child_id.token_id))).secret != child_id.secret
    assert sessions._derived(parent, child_id.token_id).secret == child_id.secret
