"""Questions to a model that outlive their request: asked once, answered in parts, ended once.

    run = await runs.ask(tenancy, MAY_READ, SUMMARIZE, text)

The answer is written down as it comes, so that any process can show it, again and from any point.
A process that dies leaves a lease behind that runs out: the run has then failed, and says so.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from service.chassis.application.database import Database
from service.chassis.application.run_rows import ASK, END, FORGET, GO_ON, SAY
from service.chassis.application.tenancy import Tenancy
from service.chassis.errors import Unavailable
from service.chassis.identity import Permission, TenantId
from service.chassis.intelligence.gateway import (
    Intelligence,
    ModelUnavailable,
    Prompt,
    settle_first,
    transaction_is_open,
)
from service.chassis.telemetry.logs import log_failure

RunRow = Row[*tuple[Any, ...]]
FORGOTTEN_AT_ONCE, DRAIN_SECONDS = 500, 10


@dataclass(frozen=True)
class Pace:
    """How often is written down what a model says, how long it may take, and what is kept."""

    write_seconds: float = 0.05
    breath_seconds: float = 1
    lease_seconds: float = 10
    longest_seconds: float = 300
    most_characters: int = 200_000
    kept_seconds: float = 86_400
    at_once: int = 200
    at_once_of_a_tenant: int = 20


class TooLong(Exception):
    """The answer is longer than this service keeps."""


class Heard:
    """What the model has said, and how much of it is not written down yet."""

    def __init__(self, most: int) -> None:
        self._room = most
        self._said: list[str] = []
        self._taken = 0
        self.more = asyncio.Event()

    async def listen(self, pieces: AsyncIterator[str]) -> None:
        try:
            async for piece in pieces:
                self._said.append(storable(piece)[: self._room])
                self.more.set()
                if len(piece) > self._room:
                    raise TooLong
                self._room -= len(piece)
                # A model that never waits would leave no turn to anybody, nor to its time-out.
                await asyncio.sleep(0)
        finally:
            self.more.set()

    def take(self) -> str:
        new = "".join(self._said[self._taken :])
        self._taken = len(self._said)
        self.more.clear()
        return new

    @property
    def whole(self) -> str:
        return "".join(self._said)


def storable(text: str) -> str:
    """A model may say anything; Postgres keeps every character but NUL and half ones."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\0", "\ufffd")


@dataclass
class Runs:
    database: Database
    intelligence: Intelligence
    pace: Pace = field(default_factory=Pace)

    def __post_init__(self) -> None:
        self._working: dict[asyncio.Task[None], Answering] = {}

    async def ask(
        self, tenancy: Tenancy, permission: Permission, prompt: Prompt, text: str
    ) -> RunRow:
        """Known from now on; the model is asked as soon as that is committed."""
        tenant_id = tenancy.caller.tenant_id
        self._refuse_too_many(tenant_id)
        asked = {
            "operation": prompt.name,
            "caller": tenancy.caller.subject,
            "characters": len(text),
            "lease": timedelta(seconds=self.pace.lease_seconds),
        }
        kept = timedelta(seconds=self.pace.kept_seconds)
        async with tenancy.transaction(permission) as session:
            await session.execute(FORGET, {"kept": kept, "count": FORGOTTEN_AT_ONCE})
            run = (await session.execute(ASK, asked)).one()
            first = {"run": run.id, "number": 1, "kind": "state", "said": "pending"}
            await session.execute(SAY, first)
        tenancy.afterwards(lambda: self._start(tenant_id, run.id, prompt, text))
        return run

    async def stop(self) -> None:
        """What is under way has failed, and says so at once: nobody else can go on with it."""
        for work in self._working.values():
            work.interrupt()
        if self._working:
            await asyncio.wait(self._working, timeout=DRAIN_SECONDS)

    def _refuse_too_many(self, tenant_id: TenantId) -> None:
        of_tenant = sum(each.tenant_id == tenant_id for each in self._working.values())
        if len(self._working) >= self.pace.at_once or of_tenant >= self.pace.at_once_of_a_tenant:
            raise Unavailable("Too many answers are being written right now.")

    def _start(self, tenant_id: TenantId, run_id: UUID, prompt: Prompt, text: str) -> None:
        pieces = self.intelligence.stream(prompt, text)
        work = Answering(self.database, self.pace, tenant_id, run_id, pieces)
        task = asyncio.create_task(work.done())
        self._working[task] = work
        task.add_done_callback(self._working.pop)


@dataclass
class Answering:
    """One run at work, in the process that was asked."""

    database: Database
    pace: Pace
    tenant_id: TenantId
    run_id: UUID
    pieces: AsyncGenerator[str]
    streaming: bool = False

    def __post_init__(self) -> None:
        self._heard = Heard(self.pace.most_characters)
        self._listening = asyncio.create_task(self._listen())

    def interrupt(self) -> None:
        self._listening.cancel()

    async def done(self) -> None:
        try:
            if await self._written_to_its_end():
                await self._end(*outcome(self._listening, self._heard.whole))
        except Exception as error:  # noqa: BLE001  nobody waits for it; the lease will run out
            log_failure("run_not_written", error, run=str(self.run_id))
        finally:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)

    async def _listen(self) -> None:
        # Both were the request's, which is over.
        transaction_is_open.set(False)
        settle_first.set(None)
        # Whoever stops listening closes the model's connection, too.
        async with asyncio.timeout(self.pace.longest_seconds), aclosing(self.pieces) as pieces:
            await self._heard.listen(pieces)

    async def _written_to_its_end(self) -> bool:
        """False if somebody else ended the run meanwhile: then nobody wants to hear more."""
        while True:
            done = self._listening.done()
            if not await self._write(self._heard.take()):
                return False
            if done:
                return True
            await asyncio.sleep(self.pace.write_seconds)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._heard.more.wait(), self.pace.breath_seconds)

    async def _write(self, new: str) -> bool:
        said = [("delta", new)] if new else []
        if new and not self.streaming:
            said.insert(0, ("state", "streaming"))
            self.streaming = True
        values = {
            "run": self.run_id,
            "standing": "streaming" if self.streaming else "pending",
            "added": len(said),
            "lease": timedelta(seconds=self.pace.lease_seconds),
        }
        async with self.database.transaction(self.tenant_id) as session:
            last: int | None = await session.scalar(GO_ON, values)
            if last is None:
                return False
            for number, (kind, text) in enumerate(said, last - len(said) + 1):
                event = {"run": self.run_id, "number": number, "kind": kind, "said": text}
                await session.execute(SAY, event)
        return True

    async def _end(self, outcome: str, why: str | None, whole: str) -> None:
        values = {"run": self.run_id, "outcome": outcome, "why": why, "whole": whole or None}
        async with self.database.transaction(self.tenant_id) as session:
            await session.execute(END, values)


def outcome(listening: asyncio.Task[None], whole: str) -> tuple[str, str | None, str]:
    if listening.cancelled():
        return "failed", "interrupted", ""
    match listening.exception():
        case None:
            return "succeeded", None, whole
        case TooLong():
            return "degraded", "cut_short", whole
        case TimeoutError():
            return "degraded", "too_slow", whole
        case ModelUnavailable():
            return "degraded", "model_unavailable", whole
        case error:
            log_failure("run_failed", error)
            return "failed", "internal", ""
