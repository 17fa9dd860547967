"""What an answer may say that it rests on: what was retrieved for its question."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.chassis.telemetry.logs import log


@dataclass(frozen=True)
class Source:
    """Retrieved for a question by somebody who may read it; the question's text names its id."""

    id: str
    title: str


@dataclass(frozen=True)
class Cites:
    """A model's word that its answer rests on a source. A title is never the model's to say."""

    id: str


def retrieved(cites: Cites, sources: Sequence[Source], operation: str) -> Source | None:
    """None for what nobody retrieved; what the model called it is no word for a log."""
    for source in sources:
        if source.id == cites.id:
            return source
    log("citation_dropped", operation=operation)
    return None
