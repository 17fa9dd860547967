"""How a route gets at a model: it declares what it asks, and what for.

summaries: Annotated[AsksModel, asks(SUMMARIZE, "Says in one sentence what a note is about.")]
"""

from dataclasses import dataclass
from typing import Any

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant

from service.chassis.application.runs import AsksModel
from service.chassis.intelligence.gateway import Prompt


@dataclass(frozen=True)
class Asks:
    """What `GET /v1/disclosure` tells of a route."""

    prompt: Prompt
    purpose: str


def asks(prompt: Prompt, purpose: str) -> Any:
    async def model(request: Request) -> AsksModel:
        return AsksModel(request.state.runs, prompt)

    model.asks = Asks(prompt, purpose)  # type: ignore[attr-defined]
    return Depends(model)


def asks_of(dependant: Dependant) -> tuple[Asks, ...]:
    found: list[Asks] = []
    for dependency in dependant.dependencies:
        if (declared := getattr(dependency.call, "asks", None)) is not None:
            found.append(declared)
        found.extend(asks_of(dependency))
    return tuple(found)
