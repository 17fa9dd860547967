"""A run as the one who asked sees it: how it stands, and every event from any point on."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Update
from sqlalchemy.ext.asyncio import AsyncSession

from service.chassis.application.run_rows import CANCEL, HEAR, LAPSE, READ
from service.chassis.application.runs import RunRow
from service.chassis.application.tenancy import Tenancy
from service.chassis.errors import NotFound
from service.chassis.identity import Action, Permission

MAY_READ = Permission("runs", Action.READ)
# How many events are in memory for one reader, however slow.
PAGE = 100
# Seconds between two looks: more and more of them, the longer nothing is said.
SOONEST, LATEST = 0.1, 1
Said = Row[*tuple[Any, ...]]


@dataclass(frozen=True)
class Progress:
    """How the run stood, and what it had said by then that the reader had not heard."""

    run: RunRow
    said: Sequence[Said]

    @property
    def is_all(self) -> bool:
        """Nothing can follow: it has ended, and what comes before its end is heard."""
        return self.run.ended_at is not None and len(self.said) < PAGE


async def read_run(tenancy: Tenancy, run_id: UUID) -> RunRow:
    async with tenancy.transaction(MAY_READ) as session:
        return await find_run(tenancy, session, run_id)


async def cancel_run(tenancy: Tenancy, run_id: UUID) -> RunRow:
    """Cancelling what has ended changes nothing."""
    async with tenancy.transaction(MAY_READ) as session:
        await _end(tenancy, session, run_id, CANCEL, "cancelled")
        return await find_run(tenancy, session, run_id)


async def progress(tenancy: Tenancy, run_id: UUID, after: int) -> AsyncGenerator[Progress]:
    """No transaction is open between two looks, however slowly they are taken."""
    pause = SOONEST
    while True:
        async with tenancy.transaction(MAY_READ) as session:
            # First the run: what it had said by then is there, if not more.
            run = await find_run(tenancy, session, run_id)
            asked = {"run": run_id, "after": after, "count": PAGE}
            heard = Progress(run, (await session.execute(HEAR, asked)).all())
        yield heard
        if heard.is_all:
            return
        if heard.said:
            after, pause = heard.said[-1].number, SOONEST
        if len(heard.said) < PAGE:
            await asyncio.sleep(pause)
            pause = min(pause * 2, LATEST)


async def find_run(tenancy: Tenancy, session: AsyncSession, run_id: UUID) -> RunRow:
    """The caller's own; to everybody else there is no such run."""
    asked = {"run": run_id, "caller": tenancy.caller.subject}
    run = (await session.execute(READ, asked)).one_or_none()
    if run is not None and run.lapsed:
        # Its process is gone. Whoever looks first says so; the other reads it.
        await _end(tenancy, session, run_id, LAPSE, "interrupted")
        run = (await session.execute(READ, asked)).one_or_none()
    if run is None:
        raise NotFound("There is no such run.")
    return run


async def _end(
    tenancy: Tenancy, session: AsyncSession, run_id: UUID, how: Update, why: str
) -> None:
    ended = {"outcome": "failed", "why": why, "whole": None}
    await session.execute(how, {"run": run_id, "caller": tenancy.caller.subject, **ended})
