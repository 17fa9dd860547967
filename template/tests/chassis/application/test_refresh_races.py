"""Refreshes at the same time, after a restart, and with clocks that disagree.

`make refresh-fuzz rounds=10000` is the long run of it.
"""

import asyncio
import os
import time
from collections.abc import AsyncGenerator

import pytest
from chassis.application.refreshing import HERE, dead, later, told
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from callers import ClientFor
from service.chassis.application.capability import CapabilityKey
from service.chassis.application.database import Database
from service.chassis.application.sessions import Granted, Sessions
from service.chassis.errors import Unauthenticated, Unavailable
from service.chassis.identity import Role, TenantId
from service.chassis.settings import Settings

ROUNDS = int(os.environ.get("REFRESH_ROUNDS", "3"))
AT_ONCE = 50
RACES = min(ROUNDS, 200)


@pytest.fixture
async def processes(settings: Settings) -> AsyncGenerator[list[Sessions]]:
    """Several, which know nothing of each other."""
    key = CapabilityKey.of(settings.tenancy)
    # As few connections and as little patience as an operator gets who sets nothing.
    databases = [Database(settings.database, key) for _ in range(4)]
    yield [Sessions(database, settings.identity) for database in databases]
    for database in databases:
        await database.engine.dispose()


@pytest.mark.case("A-10")
@pytest.mark.timeout(0)
async def test_fifty_at_once_get_one_successor_and_nobody_is_thrown_out(
    processes: list[Sessions], sessions: Sessions, database: Database, granted: Granted
) -> None:
    token, turned_away = granted.refresh_token, 0
    for number in range(ROUNDS):
        asked = [processes[n % 4].refresh(token, HERE) for n in range(AT_ONCE)]
        given = await asyncio.gather(*asked, return_exceptions=True)
        turned_away += sum(isinstance(each, Unavailable) for each in given)
        served = [each for each in given if not isinstance(each, Unavailable)]
        assert [each for each in served if not isinstance(each, Granted)] == []
        successors = {each.refresh_token for each in served if isinstance(each, Granted)}
        assert len(successors) == 1, f"round {number}: {len(successors)} successors"
        token = successors.pop()
    print(f"{ROUNDS} rounds, {turned_away} of {ROUNDS * AT_ONCE} asked to try again")  # noqa: T201
    assert turned_away <= ROUNDS * AT_ONCE / 100
    lines = "SELECT count(*), count(child_id), count(DISTINCT child_id) FROM refresh_tokens"
    rows = await told(database, granted, f"{lines} WHERE session_id = :session")
    assert rows == [(ROUNDS + 1, ROUNDS, ROUNDS)]
    assert not await dead(sessions, token)


@pytest.mark.case("A-10")
async def test_who_waits_for_a_slow_refresh_is_no_thief(
    settings: Settings, database: Database, granted: Granted
) -> None:
    """Longer than the grace: it was unused when they came, and what held them up was us."""
    hasty = settings.identity.model_copy(update={"refresh_grace_seconds": 0.3})
    sessions, token = Sessions(database, hasty), granted.refresh_token
    async with database.transaction(granted.tenant_id) as slow:
        held = text("SELECT 1 FROM sessions WHERE id = :session FOR UPDATE")
        await slow.execute(held, {"session": granted.session_id})
        asked = [asyncio.create_task(sessions.refresh(token, HERE)) for _ in range(3)]
        await asyncio.sleep(1)
    given = {each.refresh_token for each in await asyncio.gather(*asked)}
    assert len(given) == 1
    assert not await dead(sessions, given.pop())


@pytest.mark.case("A-15")
async def test_a_refresh_that_meets_the_end_of_its_session_gives_nothing(
    sessions: Sessions, database: Database, granted: Granted
) -> None:
    async with database.transaction(granted.tenant_id) as ending:
        end = text("UPDATE sessions SET ended_at = now() WHERE id = :session")
        await ending.execute(end, {"session": granted.session_id})
        refresh = asyncio.create_task(sessions.refresh(granted.refresh_token, HERE))
        await asyncio.sleep(0.5)
        assert not refresh.done(), "it began before the end, and waits for it"
    with pytest.raises(Unauthenticated):
        await refresh


async def test_guesses_do_not_wait_for_the_owner_nor_the_owner_for_guesses(
    sessions: Sessions, database: Database, granted: Granted
) -> None:
    wrong = granted.refresh_token[:-43] + "x" * 43
    async with database.transaction(granted.tenant_id) as owner:
        held = text("SELECT 1 FROM refresh_tokens WHERE session_id = :session FOR UPDATE")
        await owner.execute(held, {"session": granted.session_id})
        async with asyncio.timeout(2):
            assert await dead(sessions, wrong)


@pytest.mark.case("A-15")
@pytest.mark.parametrize("how", ["end-all", "sign-out", "own"])
async def test_no_session_survives_a_sign_out_that_races_its_refresh(
    processes: list[Sessions],
    client_for: ClientFor,
    acme: TenantId,
    database: Database,
    how: str,
) -> None:
    for number in range(RACES):
        person, admin = client_for(acme), client_for(acme, Role.ADMIN)
        granted = await person.me.sign_in()
        await admin.signed_in()
        ends = {
            "end-all": admin.post("/v1/sessions/end-all"),
            "sign-out": admin.post(f"/v1/members/{granted.member_id}/sign-out"),
            "own": person.delete(f"/v1/sessions/{granted.session_id}"),
        }
        chosen = ends.pop(how)
        for other in ends.values():
            other.close()
        refreshes = [chain(each, granted.refresh_token) for each in processes]
        ended, newest = await asyncio.gather(chosen, asyncio.gather(*refreshes))
        assert ended.status_code == 204
        assert all([await dead(processes[0], token) for token in newest]), f"round {number}"
        lives = "SELECT 1 FROM sessions WHERE id = :session AND ended_at IS NULL"
        assert not await told(database, granted, lives)


async def chain(sessions: Sessions, token: str) -> str:
    """Refreshes until it is refused, or a few times."""
    for _ in range(5):
        try:
            token = (await sessions.refresh(token, HERE)).refresh_token
        except Unauthenticated:
            break
    return token


@pytest.mark.case("A-13")
async def test_a_restart_forgets_nothing(
    processes: list[Sessions], sessions: Sessions, granted: Granted
) -> None:
    child = await sessions.refresh(granted.refresh_token, HERE)
    assert await processes[0].refresh(granted.refresh_token, HERE) == child
    newest = await processes[1].refresh(child.refresh_token, HERE)
    assert await dead(processes[2], granted.refresh_token)
    assert await dead(processes[3], newest.refresh_token)


@pytest.mark.case("A-13")
@pytest.mark.parametrize("seconds", [-30, 3600])
async def test_the_clock_of_the_process_decides_nothing(
    sessions: Sessions,
    database: Database,
    granted: Granted,
    monkeypatch: pytest.MonkeyPatch,
    seconds: int,
) -> None:
    real = time.time
    monkeypatch.setattr("time.time", lambda: real() + seconds)
    child = await sessions.refresh(granted.refresh_token, HERE)
    assert await sessions.refresh(granted.refresh_token, HERE) == child
    await later(database, granted, 6)
    assert await dead(sessions, granted.refresh_token)


async def test_a_process_that_is_an_hour_behind_opens_nothing(
    sessions: Sessions, granted: Granted, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = time.time
    with monkeypatch.context() as stepped:
        stepped.setattr("time.time", lambda: real() - 3600)
        with pytest.raises(DBAPIError, match="capability is not valid"):
            await sessions.refresh(granted.refresh_token, HERE)
    assert not await dead(sessions, granted.refresh_token)
