"""The first argument of every use case."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from service.chassis.application.database import Database
from service.chassis.identity import Caller
from service.chassis.intelligence.gateway import Intelligence, transaction_is_open


@dataclass(frozen=True)
class Tenancy:
    """A caller at work inside one tenant: who acts, on whose data, with what."""

    caller: Caller
    intelligence: Intelligence
    _database: Database

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[AsyncSession]:
        """Commits at the end of the block; a model call inside it raises."""
        async with self._database.transaction(self.caller.tenant_id) as session:
            outer = transaction_is_open.set(True)
            try:
                yield session
            finally:
                transaction_is_open.reset(outer)
