"""Every example in the interface document is one."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs

from service.chassis.app import Service

Json = dict[str, Any]


def wrong(document: Json) -> list[str]:
    return [
        f"{example!r} is no example of {schema}"
        for schema in _with_examples(document)
        for example in schema["examples"]
        if not jsonschema_rs.is_valid(
            {**schema, "components": document["components"]}, example, validate_formats=True
        )
    ]


def _with_examples(node: Any) -> Iterator[Json]:
    if isinstance(node, dict):
        if isinstance(node.get("examples"), list):
            yield node
        for inner in node.values():
            yield from _with_examples(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _with_examples(inner)


def test_every_example_is_valid(app: Service) -> None:
    document = app.openapi()
    assert len(list(_with_examples(document))) >= 3
    assert wrong(document) == []


def test_an_example_that_is_none_would_be_found() -> None:
    tenant = {"type": "string", "format": "uuid", "examples": ["acme"]}
    referring = {"$ref": "#/components/schemas/Tenant", "examples": [1]}
    document = {"components": {"schemas": {"Tenant": tenant}}, "paths": {"/": referring}}
    assert len(wrong(document)) == 2
