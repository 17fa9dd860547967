"""One transaction for a whole request: its blocks join it, and it ends when the answer is known."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncSession

from service.chassis.application.database import Database, typed_failures
from service.chassis.identity import TenantId
from service.chassis.intelligence.gateway import transaction_is_open

PATIENCE_SECONDS = 2.0


class BlockLeftOpen(RuntimeError):
    """A transaction's block was still open when the answer was ready to be committed."""


class Undone(Exception):
    """Ends the transaction without its effects; nobody outside hears of it."""


class JoinedTransaction:
    """Stands in for the database; after `over`, every block is a transaction of its own again."""

    def __init__(self, database: Database, tenant_id: TenantId) -> None:
        self.over = False
        self._database = database
        self._tenant_id = tenant_id
        self._turn = asyncio.Lock()
        self._root: AsyncSession | None = None
        self._exit = AsyncExitStack()
        self._afterwards: list[Callable[[], None]] = []

    @property
    def pending(self) -> bool:
        return self._root is not None

    async def root(self) -> AsyncSession:
        """The session whose commit is the commit of all; opened when it is first needed."""
        if self._root is None:
            opened = self._database.transaction(self._tenant_id)
            self._root = await self._exit.enter_async_context(opened)
        return self._root

    @asynccontextmanager
    async def transaction(self, tenant_id: TenantId) -> AsyncGenerator[AsyncSession]:
        async with AsyncExitStack() as stack:
            # One connection serves one block at a time; a block inside a block is the same turn.
            if not (self.over or transaction_is_open.get()):
                await stack.enter_async_context(self._turn)
            opened = self._database.transaction(tenant_id) if self.over else self._savepoint()
            yield await stack.enter_async_context(opened)

    @asynccontextmanager
    async def _savepoint(self) -> AsyncGenerator[AsyncSession]:
        """What fails in a block leaves nothing of that block, as if it were a transaction."""
        with typed_failures():
            connection = await (await self.root()).connection()
            session = AsyncSession(
                connection, join_transaction_mode="create_savepoint", expire_on_commit=False
            )
            async with session, session.begin():
                yield session

    @asynccontextmanager
    async def alone(self) -> AsyncGenerator[None]:
        """No block is open meanwhile: the time to commit or to undo."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._turn.acquire()
        except TimeoutError:
            raise BlockLeftOpen("close every transaction before the answer is sent") from None
        try:
            yield
        finally:
            self._turn.release()

    def afterwards(self, start: Callable[[], None]) -> None:
        """Called once what was done so far is committed, and never if it is undone."""
        if self.over:
            start()
        else:
            self._afterwards.append(start)

    async def commit(self) -> None:
        self._root = None
        await self._exit.aclose()
        ready, self._afterwards = self._afterwards, []
        for start in ready:
            start()

    async def undo(self) -> None:
        self._root = None
        self._afterwards.clear()
        undone = Undone()
        await self._exit.__aexit__(Undone, undone, None)
