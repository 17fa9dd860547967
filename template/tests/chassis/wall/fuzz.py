"""Requests of many tenants over two connections, cancelled wherever the dice say."""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy import event, text
from sqlalchemy.pool import QueuePool
from sqlalchemy.util import await_only

from service.chassis.application.database import Database
from service.chassis.identity import TenantId

Mode = Literal["edge", "level"]
Request = Callable[[Database, TenantId], Awaitable[object]]

CANCELLED_REQUESTS = int(os.environ.get("CANCELLED_REQUESTS", "1000"))
AT_ONCE, SHARE_TO_CANCEL, TURNS = 8, 0.9, 25
TENANTS = [TenantId(uuid4()) for _ in range(3)]
CARRIED = "SELECT current_setting('wall.capability', true)"
BOUND = text("SELECT wall.tenant()")


@dataclass
class Tally:
    """What came of the requests; what follows `cancelled` must stay empty."""

    served: int = 0
    cancelled: int = 0
    residue: int = 0
    wrong_tenant: int = 0
    never_returned: int = 0
    failures: Counter[str] = field(default_factory=Counter)

    @property
    def clean(self) -> bool:
        return not (self.residue or self.wrong_tenant or self.never_returned or self.failures)


async def ask(database: Database, tenant: TenantId) -> object:
    async with database.transaction(tenant) as session:
        return (await session.execute(BOUND)).scalar_one()


class Fuzz:
    def __init__(self, mode: Mode, request: Request = ask, seed: int | None = None) -> None:
        self._mode, self._request = mode, request
        self._seed = random.SystemRandom().randrange(2**32) if seed is None else seed
        self._dice = random.Random(self._seed)  # noqa: S311 - to be repeated, not to be secret
        self.tally = Tally()

    def __repr__(self) -> str:
        return f"{self._mode}, seed {self._seed}"

    async def run(self, database: Database, enough: int) -> None:
        """Goes on until so many requests were really cancelled, or failed."""
        event.listen(database.engine.sync_engine, "checkout", self._look)
        asyncio.get_running_loop().set_exception_handler(self._stray)
        await asyncio.gather(*(self._caller(database, enough) for _ in range(AT_ONCE)))
        pool = database.engine.pool
        assert isinstance(pool, QueuePool)
        self.tally.never_returned = pool.checkedout()

    def _look(self, dbapi_connection: Any, _record: Any, _proxy: Any) -> None:
        """What a connection carries as it leaves the pool, before anyone binds it."""
        if await_only(dbapi_connection.driver_connection.fetchval(CARRIED)):
            self.tally.residue += 1

    def _stray(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        # asyncpg says so of the connection by which it asked the server to cancel a query.
        if "unexpected connection_lost() call" not in str(context.get("exception")):
            self.tally.failures[str(context)] += 1

    async def _caller(self, database: Database, enough: int) -> None:
        while self.tally.cancelled + self.tally.failures.total() < enough:
            tenant = self._dice.choice(TENANTS)
            task = asyncio.ensure_future(self._request(database, tenant))
            if self._dice.random() < SHARE_TO_CANCEL:
                await self._cancel(task)
            await self._count(task, tenant)

    async def _cancel(self, task: asyncio.Future[object]) -> None:
        """`edge` is asyncio's: once. `level` is anyio's: at every turn until the task ended."""
        for _ in range(self._dice.randrange(TURNS)):
            await asyncio.sleep(0)
        task.cancel()
        while self._mode == "level" and not task.done():
            await asyncio.sleep(0)
            task.cancel()

    async def _count(self, task: asyncio.Future[object], tenant: TenantId) -> None:
        try:
            self.tally.wrong_tenant += await task != tenant
            self.tally.served += 1
        except asyncio.CancelledError:
            self.tally.cancelled += 1
        except Exception as error:  # noqa: BLE001 - a failure of any kind counts
            self.tally.failures[f"{error!r} from {error.__cause__!r}"[:200]] += 1
