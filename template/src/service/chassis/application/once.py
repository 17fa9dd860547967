"""What may happen once, remembered by all processes together."""

import asyncio
import hashlib
from typing import TYPE_CHECKING

from service.chassis.errors import Unavailable

if TYPE_CHECKING:
    from redis.asyncio import Redis

PATIENCE_SECONDS = 2.0


class Once:
    """Without the shared store nobody can say what was used, so nothing counts as unused."""

    def __init__(self, store: "Redis") -> None:
        self._store = store

    async def first(self, secret: str, *, kept_seconds: int) -> bool:
        """True for one caller of all, and for a while."""
        # A tenth of a second that no command should pay which only imports the application.
        from redis.exceptions import RedisError  # noqa: PLC0415

        name = f"once:{hashlib.sha256(secret.encode()).hexdigest()}"
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return bool(await self._store.set(name, "1", nx=True, ex=kept_seconds))
        except (TimeoutError, OSError, RedisError) as error:
            raise Unavailable("Sign-in is not possible right now.") from error
