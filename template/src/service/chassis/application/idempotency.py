"""One attempt at a request that must take effect once, however often it arrives."""

from typing import Any
from uuid import uuid4

from service.chassis.application import remembered
from service.chassis.application.database import Database
from service.chassis.application.joined import JoinedTransaction
from service.chassis.application.remembered import Answer, Identity
from service.chassis.errors import InProgress, KeyReused, TooManyKeys, Unrepeatable
from service.chassis.identity import Caller
from service.chassis.sections import HttpSettings

IN_PROGRESS = "The first request with this key is still at work; ask again in a moment."
UNREPEATABLE = {
    "streamed": "This was done; its answer was a stream or too large to keep.",
    "unstored": "This was done; its answer held a secret and was shown once.",
    "begun": "This was begun and interrupted; look what is there, then use a new key.",
}


class Attempt:
    """From `begin` to `finish` or `abandon`: the effect and its answer, in one transaction."""

    work: JoinedTransaction
    _identity: Identity

    def __init__(self, fingerprint: bytes, settings: HttpSettings) -> None:
        self.active = False
        self.begun = False
        self.secret = False
        self._fingerprint = fingerprint
        self._settings = settings
        self._claim = uuid4()
        self._settled = self._wrote = False

    async def begin(
        self, database: Database, caller: Caller, route: str, key: str
    ) -> Answer | None:
        """The answer that was given before; None means that this attempt is the one to work."""
        self._identity = Identity.of(caller, route, key)
        self.work = JoinedTransaction(database, caller.tenant_id)
        self.active = self.begun = True
        try:
            answer = await self._before()
        except BaseException:
            await self.abandon()
            raise
        if answer is not None:
            await self.abandon()
        return answer

    async def _before(self) -> Answer | None:
        session = await self.work.root()
        lock = {"lock": self._identity.lock}
        if not (await session.execute(remembered.LOCK, lock)).scalar_one():
            raise InProgress(IN_PROGRESS)
        most = self._settings.idempotency_keys
        # A statement of its own: it must see what the lock's last holder committed.
        row = await remembered.found(session, self._identity, most)
        if row.id is not None:
            return self._told_by(row)
        if row.alive >= most:
            raise TooManyKeys("Wait until older keys expire, or send without one.")
        return None

    def _told_by(self, row: Any) -> Answer | None:
        if row.fingerprint != self._fingerprint:
            raise KeyReused("This key came with another request before; use a new one.")
        if row.state == "finished":
            return Answer(row.status, row.headers, row.body)
        if row.state in {"asking", "begun"} and row.claimed:
            raise InProgress(IN_PROGRESS)
        if row.state != "asking":
            raise Unrepeatable(UNREPEATABLE[row.state])
        return None

    async def settle(self) -> None:
        """Commits what is pending and keeps the key claimed; the answer follows later."""
        if not self.active:
            return
        async with self.work.alone():
            if not self.work.pending:
                return
            session = await self.work.root()
            self._wrote |= bool((await session.execute(remembered.WROTE)).scalar_one())
            await self._write("begun" if self._wrote else "asking")
            self._settled = True
            await self.work.commit()

    async def finish(self, answer: Answer) -> None:
        """Effect and answer become durable together; a refusal undoes what is pending.

        What was committed before a model call cannot be undone, so then a refusal is kept too.
        """
        async with self.work.alone():
            try:
                await self._conclude(answer)
            finally:
                await self._end()

    async def _conclude(self, answer: Answer) -> None:
        if answer.status >= 400:
            await self.work.undo()
        if answer.status < 400 or self._wrote:
            kept = "finished" if answer.body is not None else "streamed"
            await self._write("unstored" if self.secret else kept, answer)
            await self.work.commit()
        elif self._settled:
            await self._forget()

    async def give_up(self) -> None:
        """Nothing that is pending happens, and its connection is free; the answer follows."""
        if self.active:
            async with self.work.alone():
                await self.work.undo()

    async def abandon(self) -> None:
        """Nothing that is pending happened."""
        if self.active:
            await self._end()

    async def _end(self) -> None:
        self.active = False
        self.work.over = True
        await self.work.undo()

    async def _write(self, state: str, answer: Answer | None = None) -> None:
        shown = answer if answer and state == "finished" else None
        row = {
            "id": self._identity.id,
            "principal": self._identity.principal,
            "fingerprint": self._fingerprint,
            "claim": self._claim,
            "state": state,
            "status": answer.status if answer else None,
            "headers": shown.headers if shown else None,
            "body": shown.body if shown else None,
            "hours": self._settings.idempotency_hours,
        }
        if not await remembered.written(await self.work.root(), row):
            raise InProgress(IN_PROGRESS)

    async def _forget(self) -> None:
        mine = {"key_id": self._identity.id, "mine": self._claim}
        await (await self.work.root()).execute(remembered.FORGET, mine)
        await self.work.commit()
