"""Where this service asks a model, which one and what for, and how to reach a person instead."""

from collections.abc import Iterator

from fastapi import APIRouter, Request

from service.chassis.application.tenancy import Tenancy
from service.chassis.contract.guards import routes_of
from service.chassis.contract.runs import CanFollow
from service.chassis.contract.shapes import Shown
from service.chassis.settings import about

A_PERSON = "POST /v1/runs/{run_id}/escalation"

router = APIRouter(prefix="/disclosure", tags=["runs"])


class ModelShown(Shown):
    """As far as it is known."""

    name: str
    version: str | None


class OperationShown(Shown):
    operation: str
    route: str
    purpose: str
    model: ModelShown
    prompt_version: int
    # Who measures how far an answer can be trusted; nobody, if null.
    estimator: str | None


class PersonShown(Shown):
    """About one answer, by the route; about anything else, at the address."""

    route: str = A_PERSON
    contact: str


class Disclosure(Shown):
    ai_generated: list[OperationShown]
    person: PersonShown


@router.get("")
async def disclose(tenancy: CanFollow, request: Request) -> Disclosure:
    """Made of what the routes declare: what is not told here cannot ask."""
    told = sorted(_operations(tenancy, request), key=lambda each: each.route)
    return Disclosure(ai_generated=told, person=PersonShown(contact=about().contact))


def _operations(tenancy: Tenancy, request: Request) -> Iterator[OperationShown]:
    for route in routes_of(request.app):
        for asked in route.asks:
            prompt, model = asked.prompt, tenancy.intelligence.model_for(asked.prompt)
            yield OperationShown(
                operation=prompt.name,
                route=f"{route.method} {route.path}",
                purpose=asked.purpose,
                model=ModelShown.model_validate(model),
                prompt_version=prompt.version,
                estimator=prompt.estimator.name if prompt.estimator else None,
            )
