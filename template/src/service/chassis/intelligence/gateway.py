"""The one door to a model. It stays shut while a database transaction is open."""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

WORDS = re.compile(r"\S+\s*|\s+")
# Set by `application/tenancy.py`; a contextvar because a use case may call helpers in between.
transaction_is_open: ContextVar[bool] = ContextVar("transaction_is_open", default=False)

# Set by `contract/idempotency.py`: commits what a whole request has pending, before the wait.
settle_first: ContextVar[Callable[[], Awaitable[None]] | None] = ContextVar(
    "settle_first", default=None
)


async def settle() -> None:
    """In a request with an idempotency key: what is pending commits, its connection is free."""
    if (settles := settle_first.get()) is not None:
        await settles()


class ModelCalledInTransaction(RuntimeError):
    """A model takes seconds; inside a transaction it would hold a connection and its locks."""


class ModelUnavailable(Exception):
    """A model that did not answer, or not to its end. Its own words are not for callers."""


@dataclass(frozen=True)
class Prompt:
    name: str
    version: int
    instructions: str


class Model(Protocol):
    async def answer(self, prompt: Prompt, text: str) -> str: ...


@runtime_checkable
class StreamingModel(Model, Protocol):
    """A model that says its answer in pieces; one that does not says it in one."""

    def stream(self, prompt: Prompt, text: str) -> AsyncIterator[str]: ...


class LocalModel:
    """Deterministic, without key or network: it answers with the first sentence of the text."""

    async def answer(self, prompt: Prompt, text: str) -> str:  # noqa: ARG002
        return text.strip().split(". ")[0][:200]

    async def stream(self, prompt: Prompt, text: str) -> AsyncIterator[str]:
        """Word by word."""
        for word in WORDS.findall(await self.answer(prompt, text)):
            yield word


class Intelligence:
    def __init__(self, model: Model) -> None:
        self._model = model

    async def ask(self, prompt: Prompt, text: str) -> str:
        await _free(prompt)
        return await self._model.answer(prompt, text)

    async def stream(self, prompt: Prompt, text: str) -> AsyncGenerator[str]:
        await _free(prompt)
        if isinstance(self._model, StreamingModel):
            async for piece in self._model.stream(prompt, text):
                yield piece
        else:
            yield await self._model.answer(prompt, text)


async def _free(prompt: Prompt) -> None:
    if transaction_is_open.get():
        raise ModelCalledInTransaction(f"leave the transaction before asking {prompt.name}")
    await settle()
