"""Each body in the document has an example, and whoever sends it is served."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chassis.accounts.people import PASSWORD, World
from chassis.fuzz.genuine import GENUINE, Genuine
from chassis.fuzz.stage import Stage
from jsonschema_rs import validator_for

from callers import Client, Person
from service.chassis.app import Service, create_app
from service.chassis.identity import Role, TenantId
from service.chassis.settings import Settings

Json = dict[str, Any]


def bodies(document: Json) -> Iterator[tuple[str, Json]]:
    """By method and path: the schema of what is sent."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for body in operation.get("requestBody", {}).get("content", {}).values():
                yield f"{method.upper()} {path}", resolved(document, body["schema"])


def resolved(document: Json, schema: Json) -> Json:
    name = schema.get("$ref", "").rpartition("/")[2]
    return document["components"]["schemas"][name] if name else schema


def example(document: Json, schema: Json) -> Json:
    """As a page that shows the document would put it together."""
    return {
        name: shown(document, said)
        for name, said in schema["properties"].items()
        if name in schema.get("required", ()) or "examples" in said
    }


def shown(document: Json, said: Json) -> Any:
    if "$ref" in said and "examples" not in said:
        return example(document, resolved(document, said))
    assert "examples" in said, f"{said.get('title')} has no example: Field(examples=[…])"
    return said["examples"][0]


@pytest.fixture
async def stage(app: Service, acme: TenantId, tmp_path: Path) -> Stage:
    world = World(app, acme, tmp_path)
    stage = Stage(
        world, await world.accounts.passwords.hash(PASSWORD), Person(app, acme, Role.OWNER)
    )
    await stage.next_person()
    return stage


async def genuine(stage: Stage, operation: str) -> Genuine:
    prepared = GENUINE.get(operation)
    return await prepared(stage) if prepared else Genuine()


@pytest.fixture
def document(settings: Settings) -> Json:
    """Of the chassis alone: a feature's examples are its own to give."""
    return create_app(settings, []).openapi()


async def test_each_example_is_taken(app: Service, stage: Stage, document: Json) -> None:
    asked = dict(bodies(document))
    assert len(asked) > 10
    for operation, schema in asked.items():
        await stage.next_person()
        real, sent = await genuine(stage, operation), example(document, schema)
        method, _, path = operation.partition(" ")
        client, address = Client(app, stage.person), path.format(**real.path_parameters)
        answer = await client.request(
            method, address, json={**sent, **real.body}, headers=dict(real.headers)
        )
        assert answer.is_success, (operation, sent, answer.text)


def test_each_example_is_valid(document: Json) -> None:
    for operation, schema in bodies(document):
        whole = {**schema, "components": document["components"]}
        found = list(validator_for(whole).iter_errors(example(document, schema)))
        assert found == [], operation


def test_a_body_without_an_example_is_named() -> None:
    schema = {"properties": {"size": {"title": "Size"}}, "required": ["size"]}
    with pytest.raises(AssertionError, match="Size has no example"):
        example({}, schema)
