"""Work whose effects can be counted, and that goes wrong in every way that work can."""

import asyncio
from typing import Any

from pydantic import BaseModel

from service.chassis.application.audit import Actor, record
from service.chassis.application.jobs import Declared, Fields, Job, Periodic, Work
from service.chassis.application.tenancy import Tenancy
from service.chassis.errors import NotFound
from service.chassis.identity import Action, Permission
from service.chassis.intelligence.gateway import Prompt

MAY = Permission("deeds", Action.WRITE)
ECHO = Prompt("tests.echo", version=1, instructions="Repeat.")


class Tally(Work, kind="tests.tally", version=2):
    """Leaves one row; before and after it, there is time to be killed in."""

    name: str
    seconds: float = 0
    # The record is a chain: meanwhile nobody else in the tenant can leave a row.
    holds: float = 0


class Told(BaseModel):
    name: str


class Stubborn(Work, kind="tests.stubborn"):
    """Fails until somebody says that it should not."""

    name: str


class Refused(Work, kind="tests.refused"):
    name: str


class Endless(Work, kind="tests.endless"):
    name: str


class Asking(Work, kind="tests.asking"):
    name: str
    writes_first: bool


class Habit(Work, kind="tests.habit"):
    name: str = "habit"


async def leave(tenancy: Tenancy, name: str) -> None:
    async with tenancy.transaction(MAY) as session:
        await record(session, Actor.of(tenancy), "deed.done", name)


async def tally(tenancy: Tenancy, work: Tally) -> Told:
    await asyncio.sleep(work.seconds)
    await leave(tenancy, work.name)
    await asyncio.sleep(work.holds)
    return Told(name=work.name)


async def fail(tenancy: Tenancy, work: Stubborn) -> None:
    await leave(tenancy, work.name)
    raise RuntimeError("a secret of the inside")


async def refuse(tenancy: Tenancy, work: Refused) -> None:
    await leave(tenancy, work.name)
    raise NotFound("There is no such deed.")


async def never_end(tenancy: Tenancy, work: Endless) -> None:
    await leave(tenancy, work.name)
    await asyncio.sleep(3600)


async def ask(tenancy: Tenancy, work: Asking) -> Told:
    if work.writes_first:
        await leave(tenancy, work.name)
    async with tenancy.transaction(MAY):
        pass
    answer = await tenancy.intelligence.ask(ECHO, work.name)
    await leave(tenancy, work.name)
    return Told(name=answer)


async def keep_up(tenancy: Tenancy, work: Habit) -> None:
    await leave(tenancy, work.name)


def from_first(fields: Fields) -> dict[str, Any]:
    """What is `name` now was `title` in version 1."""
    return {"name": fields["title"]}


QUICK: dict[str, Any] = {"first_wait_seconds": 0.05, "longest_wait_seconds": 0.1}
JOBS = (
    Job(Tally, tally, attempts=1000, from_previous=from_first),
    Job(Stubborn, fail, attempts=3, **QUICK),
    Job(Refused, refuse, **QUICK),
    Job(Endless, never_end, timeout_seconds=0.5, attempts=2, **QUICK),
    Job(Asking, ask, attempts=1),
    Job(Habit, keep_up),
)
DECLARED = Declared(JOBS)
WITH_HABITS = Declared(JOBS, [Periodic(Habit(), "* * * * * */2", frozenset({MAY}))])
