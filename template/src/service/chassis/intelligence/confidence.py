"""How far an answer can be trusted, as somebody measured who is not the model."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from service.chassis.intelligence.citations import Source
from service.chassis.telemetry.logs import log_failure


@dataclass(frozen=True)
class Confidence:
    score: float
    method: str


class Estimator(Protocol):
    """Registered for an operation in its `Prompt`; from 0 for wrong to 1 for right."""

    @property
    def name(self) -> str: ...

    async def score(self, text: str, answer: str, cited: Sequence[Source]) -> float: ...


async def estimated(
    estimator: Estimator | None, seconds: float, text: str, answer: str, cited: Sequence[Source]
) -> Confidence | None:
    """Nothing, rather than a number that nobody measured."""
    if estimator is None:
        return None
    try:
        async with asyncio.timeout(seconds):
            score = _share(await estimator.score(text, answer, cited))
    except Exception as error:  # noqa: BLE001  the answer is there, with or without a number
        log_failure("estimate_failed", error, estimator=estimator.name)
        return None
    return Confidence(score, estimator.name)


def _share(score: float) -> float:
    if not 0 <= score <= 1:
        raise ValueError(f"{score} is not between 0 and 1")
    return score
