"""The first argument of every use case."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from service.chassis.application.database import Database
from service.chassis.application.joined import JoinedTransaction
from service.chassis.identity import Caller, Permission
from service.chassis.intelligence.gateway import Intelligence, transaction_is_open

Transactions = Database | JoinedTransaction


@dataclass(frozen=True)
class Tenancy:
    """A caller at work inside one tenant: who acts, on whose data, with what, from where."""

    caller: Caller
    intelligence: Intelligence
    _database: Transactions
    address: str = ""

    @asynccontextmanager
    async def transaction(
        self, permission: Permission | None = None
    ) -> AsyncGenerator[AsyncSession]:
        """Commits at the end of the block; a model call inside it raises.

        In a request with an idempotency key the blocks commit together, with the answer.

        Name the permission that the block needs: it is asked for here once more, so that a
        route with the wrong guard opens nothing.
        """
        if permission is not None:
            self.caller.require(permission)
        async with self._database.transaction(self.caller.tenant_id) as session:
            outer = transaction_is_open.set(True)
            try:
                yield session
            finally:
                transaction_is_open.reset(outer)

    def afterwards(self, start: Callable[[], None]) -> None:
        """After the blocks so far are committed; with an idempotency key that is not yet so."""
        if isinstance(self._database, JoinedTransaction):
            self._database.afterwards(start)
        else:
            start()
