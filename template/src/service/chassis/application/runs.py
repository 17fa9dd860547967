"""Questions to a model that outlive their request: asked once, answered in parts, ended once.

    run = await summaries.ask(tenancy, MAY_READ, text, sources)

The answer is written down as it comes, so that any process can show it, again and from any point.
A process that dies leaves a lease behind that runs out: the run has then failed, and says so.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from service.chassis.application.database import Database
from service.chassis.application.heard import Heard, outcome
from service.chassis.application.run_rows import ASK, END, FORGET, GO_ON, SAY
from service.chassis.application.tenancy import Tenancy
from service.chassis.errors import Unavailable
from service.chassis.identity import Permission, TenantId
from service.chassis.intelligence.citations import Source
from service.chassis.intelligence.confidence import Confidence, estimated
from service.chassis.intelligence.gateway import (
    Intelligence,
    Prompt,
    Question,
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


@dataclass
class Runs:
    database: Database
    intelligence: Intelligence
    pace: Pace = field(default_factory=Pace)

    def __post_init__(self) -> None:
        self._working: dict[asyncio.Task[None], Answering] = {}

    async def ask(self, tenancy: Tenancy, permission: Permission, question: Question) -> RunRow:
        """Known from now on; the model is asked as soon as that is committed."""
        tenant_id = tenancy.caller.tenant_id
        self._refuse_too_many(tenant_id)
        asked = self._on_record(question) | {
            "caller": tenancy.caller.subject,
            "lease": timedelta(seconds=self.pace.lease_seconds),
        }
        kept = timedelta(seconds=self.pace.kept_seconds)
        async with tenancy.transaction(permission) as session:
            await session.execute(FORGET, {"kept": kept, "count": FORGOTTEN_AT_ONCE})
            run = (await session.execute(ASK, asked)).one()
            first = {"run": run.id, "number": 1, "kind": "state", "said": "pending"}
            await session.execute(SAY, first)
        tenancy.afterwards(lambda: self._start(tenant_id, run.id, question))
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

    def _on_record(self, question: Question) -> dict[str, Any]:
        prompt, model = question.prompt, self.intelligence.model_for(question.prompt)
        return {
            "operation": prompt.name,
            "prompt_version": prompt.version,
            "model": model.name,
            "model_version": model.version,
            "characters": len(question.text),
            "sources": [asdict(source) for source in question.sources],
        }

    def _start(self, tenant_id: TenantId, run_id: UUID, question: Question) -> None:
        pieces = self.intelligence.stream(question)
        work = Answering(self.database, self.pace, tenant_id, run_id, question, pieces)
        task = asyncio.create_task(work.done())
        self._working[task] = work
        task.add_done_callback(self._working.pop)


@dataclass(frozen=True)
class AsksModel:
    """What a route may ask: what it declared, and nothing else."""

    runs: Runs
    prompt: Prompt

    async def ask(
        self,
        tenancy: Tenancy,
        permission: Permission,
        text: str,
        sources: Sequence[Source] = (),
    ) -> RunRow:
        """An answer may cite nothing but these sources; the text names each as `[id]`."""
        return await self.runs.ask(tenancy, permission, Question(self.prompt, text, sources))


@dataclass
class Answering:
    """One run at work, in the process that was asked."""

    database: Database
    pace: Pace
    tenant_id: TenantId
    run_id: UUID
    question: Question
    pieces: AsyncGenerator[str | Source]
    streaming: bool = False

    def __post_init__(self) -> None:
        self._heard = Heard(self.pace.most_characters)
        self._listening = asyncio.create_task(self._listen())

    def interrupt(self) -> None:
        self._listening.cancel()

    async def done(self) -> None:
        _leave_request()
        try:
            if await self._written_to_its_end():
                await self._end(*outcome(self._listening, self._heard.whole))
        except Exception as error:  # noqa: BLE001  nobody waits for it; the lease will run out
            log_failure("run_not_written", error, run=str(self.run_id))
        finally:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)

    async def _listen(self) -> None:
        _leave_request()
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
        confidence = await self._estimated(whole) if outcome == "succeeded" else None
        values = {
            "run": self.run_id,
            "outcome": outcome,
            "why": why,
            "whole": whole or None,
            "sha256": sha256(whole.encode()).hexdigest() if whole else None,
            "cited": [source.id for source in self._heard.cited] if whole else [],
            "estimator": confidence and confidence.method,
            "confidence": confidence and confidence.score,
        }
        async with self.database.transaction(self.tenant_id) as session:
            await session.execute(END, values)

    async def _estimated(self, whole: str) -> Confidence | None:
        # Shorter than the lease, which was moved ahead with the last words.
        seconds, asked = self.pace.lease_seconds / 2, self.question
        estimator = asked.prompt.estimator
        return await estimated(estimator, seconds, asked.text, whole, self._heard.cited)


def _leave_request() -> None:
    """Both were the request's, which is over."""
    transaction_is_open.set(False)
    settle_first.set(None)
