"""The one door to a model. It stays shut while a database transaction is open."""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from service.chassis.intelligence.citations import Cites, Source, retrieved
from service.chassis.intelligence.confidence import Estimator

WORDS = re.compile(r"\S+\s*|\s+")
NAMED = re.compile(r"\[([^\[\]\s]{1,100})\] ?")
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
    # Without one, nobody says how far its answers can be trusted.
    estimator: Estimator | None = None


@dataclass(frozen=True)
class Question:
    """What is asked, with what was retrieved for it."""

    prompt: Prompt
    text: str
    sources: Sequence[Source] = ()


class Model(Protocol):
    async def answer(self, prompt: Prompt, text: str) -> str: ...


@runtime_checkable
class StreamingModel(Model, Protocol):
    """A model that says its answer in pieces; one that does not says it in one."""

    def stream(self, prompt: Prompt, text: str) -> AsyncIterator[str | Cites]: ...


@runtime_checkable
class KnownModel(Model, Protocol):
    """A model that says which one it is; of any other, only its kind is known."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...


@dataclass(frozen=True)
class ModelKnown:
    name: str
    version: str | None = None


def known(model: Model) -> ModelKnown:
    if isinstance(model, KnownModel):
        return ModelKnown(model.name, model.version)
    return ModelKnown(type(model).__name__)


class LocalModel:
    """Deterministic, without key or network: it answers with the first sentence of the text.

    It cites what that sentence names as `[id]`, whether there is such a source or not.
    """

    name, version = "local", "1"

    async def answer(self, prompt: Prompt, text: str) -> str:  # noqa: ARG002
        return NAMED.sub("", _first_sentence(text))[:200]

    async def stream(self, prompt: Prompt, text: str) -> AsyncIterator[str | Cites]:
        """Word by word."""
        for word in WORDS.findall(await self.answer(prompt, text)):
            yield word
        for source_id in NAMED.findall(_first_sentence(text)):
            yield Cites(source_id)


def _first_sentence(text: str) -> str:
    return text.strip().split(". ")[0]


class Intelligence:
    def __init__(self, model: Model) -> None:
        self._model = model

    def model_for(self, _prompt: Prompt) -> ModelKnown:
        return known(self._model)

    async def ask(self, prompt: Prompt, text: str) -> str:
        await _free(prompt)
        return await self._model.answer(prompt, text)

    async def stream(self, question: Question) -> AsyncGenerator[str | Source]:
        """The answer's parts, and each source that it rests on."""
        prompt, text = question.prompt, question.text
        await _free(prompt)
        if not isinstance(self._model, StreamingModel):
            yield await self._model.answer(prompt, text)
            return
        async for piece in self._model.stream(prompt, text):
            if isinstance(piece, str):
                yield piece
            elif source := retrieved(piece, question.sources, prompt.name):
                yield source


async def _free(prompt: Prompt) -> None:
    if transaction_is_open.get():
        raise ModelCalledInTransaction(f"leave the transaction before asking {prompt.name}")
    await settle()
