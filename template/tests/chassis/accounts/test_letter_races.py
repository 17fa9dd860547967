"""Two hold the same letter: one of them sets the password, in whatever order they arrive."""

import asyncio
from dataclasses import replace

import pytest
from chassis.accounts.people import OTHER, PASSWORD, World
from sqlalchemy import text

from service.chassis.application.account_letters import RESET, set_password
from service.chassis.application.one_time import OneTime, Purpose, issue, see, spend
from service.chassis.application.passwords import Passwords
from service.chassis.errors import Invalid

# In this database only: other tests share the server.
WAITING = text(
    "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) "
    "WHERE NOT granted AND datname = current_database()"
)


class Paused(Passwords):
    """Hashes when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived, self.go = asyncio.Event(), asyncio.Event()

    async def hash(self, password: str) -> str:
        self.arrived.set()
        await self.go.wait()
        return await super().hash(password)


@pytest.mark.case("A-18")
async def test_of_two_who_hold_one_letter_the_later_is_too_late(world: World) -> None:
    email, passwords = await world.member(), Paused()
    database = world.accounts.database
    async with database.transaction(world.tenant) as session:
        member_id = await world.id_of(email)
        token = await issue(session, world.tenant, member_id, Purpose.RESET, email)
    accounts = replace(world.accounts, passwords=passwords)
    later = asyncio.create_task(set_password(accounts, RESET, str(token), OTHER, "192.0.2.1"))
    await passwords.arrived.wait()
    async with database.transaction(world.tenant) as earlier:
        await see(earlier, OneTime.parse(str(token)), Purpose.RESET)
        await spend(earlier, OneTime.parse(str(token)), Purpose.RESET)
        passwords.go.set()
        while not await earlier.scalar(WAITING):  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)
    with pytest.raises(Invalid):
        await later
    assert (await world.sign_in(email, PASSWORD)).status_code == 200
