"""The counts that all processes share: sliding windows in Valkey, by Valkey's own clock."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from math import ceil
from typing import Any, TypeVar

from limits import RateLimitItem
from limits.errors import StorageError

from service.chassis.application.local_counts import Clock
from service.chassis.settings import about
from service.chassis.telemetry.logs import log

ANSWER_SECONDS = 0.25
REST_SECONDS = 2.0
CONNECTIONS = 32

FAILURES = (StorageError, OSError)

Answer = TypeVar("Answer")


class CountsGone(Exception):
    """Valkey did not answer, or not in time."""


class SharedCounts:
    """After a failure Valkey is left alone for a while, then one request tries for all."""

    def __init__(self, url: str, clock: Clock = time.monotonic) -> None:
        # A tenth of a second that no command should pay which only imports the application.
        from limits.aio.storage import RedisStorage  # noqa: PLC0415
        from limits.aio.strategies import SlidingWindowCounterRateLimiter  # noqa: PLC0415

        self._clock = clock
        self._pool = _pool(url)
        self._storage = RedisStorage(
            "async+redis://",
            wrap_exceptions=True,
            implementation="redispy",
            key_prefix=f"{about().name}:limits",
            connection_pool=self._pool,
        )
        self._windows = SlidingWindowCounterRateLimiter(self._storage)
        self._failed = False
        self._resting_until = 0.0

    async def take(self, item: RateLimitItem, key: tuple[str, ...], cost: int) -> bool:
        return await self._ask(self._windows.hit, item, *key, cost=cost)

    async def look(self, item: RateLimitItem, key: tuple[str, ...]) -> tuple[int, int]:
        """What is left, and in how many seconds there will be more."""
        seen = await self._ask(self._windows.get_window_stats, item, *key)
        return seen.remaining, max(0, ceil(seen.reset_time - time.time()))

    async def mark(self, name: str, seconds: int) -> None:
        await self._ask(self._storage.incr, name, seconds)

    async def marked(self, name: str) -> bool:
        return await self._ask(self._storage.get, name) > 0

    async def greet(self) -> None:
        """Connects before the first request has to; a Valkey that is away stops no start."""
        with suppress(CountsGone):
            await self.marked("greeting")

    async def close(self) -> None:
        await self._pool.aclose()

    async def _ask(
        self, question: Callable[..., Awaitable[Answer]], *about_what: Any, **how: Any
    ) -> Answer:
        if (now := self._clock()) < self._resting_until:
            raise CountsGone
        if self._failed:
            self._resting_until = now + REST_SECONDS
        try:
            answer = await _in_time(question, *about_what, **how)
        except FAILURES as error:
            if self._failed:
                self._rest(error)
                raise CountsGone from error
            answer = await self._once_more(question, *about_what, **how)
        if self._failed:
            self._failed, self._resting_until = False, 0.0
            log("shared_counts_back")
        return answer

    async def _once_more(
        self, question: Callable[..., Awaitable[Answer]], *about_what: Any, **how: Any
    ) -> Answer:
        """One late answer may be our own doing; what was counted twice was counted strictly."""
        try:
            return await _in_time(question, *about_what, **how)
        except FAILURES as error:
            self._rest(error)
            raise CountsGone from error

    def _rest(self, error: Exception) -> None:
        if not self._failed:
            log("shared_counts_gone", error=type(error).__name__)
        self._failed = True
        self._resting_until = self._clock() + REST_SECONDS


async def _in_time(
    question: Callable[..., Awaitable[Answer]], *about_what: Any, **how: Any
) -> Answer:
    async with asyncio.timeout(ANSWER_SECONDS):
        return await question(*about_what, **how)


def _pool(url: str) -> Any:
    from redis.asyncio import BlockingConnectionPool  # noqa: PLC0415
    from redis.asyncio.retry import Retry  # noqa: PLC0415
    from redis.backoff import NoBackoff  # noqa: PLC0415

    return BlockingConnectionPool.from_url(
        url,
        max_connections=CONNECTIONS,
        timeout=ANSWER_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=ANSWER_SECONDS,
        # The library's own patience is three more tries with pauses in between.
        retry=Retry(NoBackoff(), 0),
    )
