"""What others publish, kept in memory: asked for rarely, and kept while they are down."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import httpx2

from service.chassis.errors import Unavailable
from service.chassis.telemetry.logs import log

Value = TypeVar("Value")


class Refused(Exception):
    """What was published is not fit for use; the message is for operators."""


@dataclass(frozen=True)
class Patience:
    """How long a value is fresh, when to ask again, until when an old one will do."""

    fresh_seconds: float = 300
    again_seconds: float = 30
    kept_seconds: float = 86_400
    answer_seconds: float = 5


class Kept(Generic[Value]):
    """The last good answer to one question. Failures and rubbish leave it as it is."""

    def __init__(self, name: str, ask: Callable[[], Awaitable[Value]], patience: Patience) -> None:
        self._name = name
        self._ask = ask
        self._patience = patience
        self._answer: tuple[float, Value] | None = None
        self._asked_at = float("-inf")
        self._asking = asyncio.Lock()

    def known(self) -> Value | None:
        """Without asking; None if nothing is known, or only what is far too old."""
        return (
            self._answer[1] if self._answer and self._age() < self._patience.kept_seconds else None
        )

    def fresh(self) -> bool:
        return self._age() < self._patience.fresh_seconds

    async def get(self) -> Value:
        if not self.fresh():
            await self.ask_again()
        if (value := self.known()) is None:
            raise Unavailable("The identity provider cannot be reached right now.")
        return value

    async def ask_again(self) -> None:
        """However many want to know: one question at a time, and one in each interval."""
        async with self._asking:
            if time.monotonic() - self._asked_at < self._patience.again_seconds:
                return
            try:
                self._answer = (time.monotonic(), await self._ask())
            except (httpx2.HTTPError, httpx2.InvalidURL, Refused, OSError, Unavailable) as error:
                log("provider_unusable", what=self._name, why=f"{type(error).__name__}: {error}")
            finally:
                self._asked_at = time.monotonic()

    def _age(self) -> float:
        return time.monotonic() - self._answer[0] if self._answer else float("inf")
