"""What a model has said so far, and how it ended."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from service.chassis.intelligence.citations import Source
from service.chassis.intelligence.gateway import ModelUnavailable
from service.chassis.telemetry.logs import log_failure


class TooLong(Exception):
    """The answer is longer than this service keeps."""


class Heard:
    """What the model has said, and how much of it is not written down yet."""

    def __init__(self, most: int) -> None:
        self._room = most
        self._said: list[str] = []
        self._taken = 0
        self._cited: dict[Source, None] = {}
        self.more = asyncio.Event()

    async def listen(self, pieces: AsyncIterator[str | Source]) -> None:
        try:
            async for piece in pieces:
                self._hear(piece)
                # A model that never waits would leave no turn to anybody, nor to its time-out.
                await asyncio.sleep(0)
        finally:
            self.more.set()

    def _hear(self, piece: str | Source) -> None:
        if isinstance(piece, Source):
            self._cited[piece] = None
            return
        self._said.append(storable(piece)[: self._room])
        self.more.set()
        if len(piece) > self._room:
            raise TooLong
        self._room -= len(piece)

    def take(self) -> str:
        new = "".join(self._said[self._taken :])
        self._taken = len(self._said)
        self.more.clear()
        return new

    @property
    def whole(self) -> str:
        return "".join(self._said)

    @property
    def cited(self) -> Sequence[Source]:
        return tuple(self._cited)


def storable(text: str) -> str:
    """A model may say anything; Postgres keeps every character but NUL and half ones."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\0", "\ufffd")


def outcome(listening: asyncio.Task[None], whole: str) -> tuple[str, str | None, str]:
    if listening.cancelled():
        return "failed", "interrupted", ""
    match listening.exception():
        case None:
            return "succeeded", None, whole
        case TooLong():
            return "degraded", "cut_short", whole
        case TimeoutError():
            return "degraded", "too_slow", whole
        case ModelUnavailable():
            return "degraded", "model_unavailable", whole
        case error:
            log_failure("run_failed", error)
            return "failed", "internal", ""
