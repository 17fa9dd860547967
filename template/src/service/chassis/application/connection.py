"""The database connection that binds a tenant in the same round trip as BEGIN."""

from typing import Any

import asyncpg


class WalledConnection(asyncpg.Connection):
    """Holds the capability of the transaction about to begin.

    SQLAlchemy sends BEGIN with the first statement, so binding here costs no round trip, and
    nothing can run in the transaction before the binding.
    """

    __slots__ = ("capability",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.capability: str | None = None

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:  # noqa: ASYNC109
        if not query.startswith("BEGIN"):
            return await super().execute(query, *args, timeout=timeout)
        bind = f"; SELECT wall.bind('{self.capability}')" if self.capability else ""
        self.capability = None
        try:
            return await super().execute(query.rstrip("; ") + bind, timeout=timeout)
        except BaseException:
            # Half a BEGIN: the server may be in a transaction that nobody here knows of.
            self.terminate()
            raise
