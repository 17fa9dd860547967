"""What is told of the models behind a service is what its routes can ask."""

from inspect import get_annotations
from typing import get_args

from chassis.runs.scripted import router
from fastapi.routing import APIRoute, iter_route_contexts

from callers import Client
from service.chassis.app import Service
from service.chassis.application.runs import AsksModel
from service.chassis.contract.disclosure import A_PERSON
from service.chassis.settings import about


def can_ask(app: Service) -> set[str]:
    """Every route whose function takes a model, however that was declared."""
    found = set()
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        taken = get_annotations(route.endpoint).values() if isinstance(route, APIRoute) else ()
        if any(AsksModel in (each, *get_args(each)) for each in taken):
            found |= {f"{method} {context.path_format}" for method in context.methods or ()}
    return found


async def test_every_route_that_can_ask_a_model_is_told_of_and_no_other(
    ana: Client, asking: Service
) -> None:
    told = (await ana.get("/v1/disclosure")).json()["ai_generated"]
    assert {each["route"] for each in told} == can_ask(asking)
    assert len(told) == len(router.routes) == 3


async def test_the_features_of_this_service_are_told_of_too(app: Service, ana: Client) -> None:
    assert ana.person
    told = (await Client(app, ana.person).get("/v1/disclosure")).json()["ai_generated"]
    assert {each["route"] for each in told} == can_ask(app)


async def test_it_says_what_for_with_which_model_and_how_it_is_measured(ana: Client) -> None:
    told = (await ana.get("/v1/disclosure")).json()["ai_generated"]
    (measured,) = (each for each in told if each["operation"] == "tests.measured")
    assert measured == {
        "operation": "tests.measured",
        "route": "POST /v1/asked/measured",
        "purpose": "Says it, and how far to trust it.",
        "model": {"name": "local", "version": "1"},
        "prompt_version": 7,
        "estimator": "tests.by-citations",
    }
    assert {each["estimator"] for each in told} == {"tests.by-citations", None}


async def test_it_says_how_a_person_is_reached_and_that_works(ana: Client, asking: Service) -> None:
    person = (await ana.get("/v1/disclosure")).json()["person"]
    assert person == {"route": A_PERSON, "contact": about().contact}
    method, path = A_PERSON.split()
    assert method.lower() in asking.openapi()["paths"][path]


async def test_a_stranger_is_told_nothing(asking: Service) -> None:
    assert (await Client(asking, None).get("/v1/disclosure")).status_code == 401
