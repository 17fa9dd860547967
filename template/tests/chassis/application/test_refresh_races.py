"""Refreshes at the same time, after a restart, and with clocks that disagree.

REFRESH_ROUNDS=10000 makes the long run of it.
"""

import asyncio
import os
import time
from collections.abc import AsyncGenerator

import pytest
from chassis.application.refreshing import HERE, dead, later, told
from sqlalchemy.exc import DBAPIError

from callers import ClientFor
from service.chassis.application.capability import CapabilityKey
from service.chassis.application.database import Database
from service.chassis.application.sessions import Granted, Sessions
from service.chassis.errors import Unauthenticated
from service.chassis.identity import Role, TenantId
from service.chassis.settings import Settings

ROUNDS = int(os.environ.get("REFRESH_ROUNDS", "3"))
AT_ONCE = 50
RACES = min(ROUNDS, 200)


@pytest.fixture
async def processes(settings: Settings) -> AsyncGenerator[list[Sessions]]:
    """Several, with many connections together."""
    wide = settings.database.model_copy(
        update={"pool_size": 13, "statement_timeout_seconds": 60, "pool_timeout_seconds": 60}
    )
    key = CapabilityKey.of(settings.tenancy)
    databases = [Database(wide, key) for _ in range(4)]
    yield [Sessions(database, settings.identity) for database in databases]
    for database in databases:
        await database.engine.dispose()


@pytest.mark.case("A-10")
@pytest.mark.timeout(0)
async def test_fifty_at_once_get_one_successor_and_nobody_is_thrown_out(
    processes: list[Sessions], sessions: Sessions, database: Database, granted: Granted
) -> None:
    token = granted.refresh_token
    for number in range(ROUNDS):
        asked = [processes[n % 4].refresh(token, HERE) for n in range(AT_ONCE)]
        given = {each.refresh_token for each in await asyncio.gather(*asked)}
        assert len(given) == 1, f"round {number}: {len(given)} successors"
        token = given.pop()
    lines = "SELECT count(*), count(child_id), count(DISTINCT child_id) FROM refresh_tokens"
    rows = await told(database, granted, f"{lines} WHERE session_id = :session")
    assert rows == [(ROUNDS + 1, ROUNDS, ROUNDS)]
    assert not await dead(sessions, token)


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
