"""Every field of a document, and which operations send or receive it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from chassis.differ.documents import Json

METHODS = ("get", "post", "put", "delete")


@dataclass(frozen=True)
class Site:
    """A field, where it is written down. No other field of the document has its name."""

    parent: Json
    name: str
    sent: bool
    # The part of each operation in which it can be met.
    parts: frozenset[str]

    @property
    def schema(self) -> Json:
        schema: Json = self.parent["properties"][self.name]
        return schema

    @property
    def required(self) -> list[str]:
        required: list[str] = self.parent.setdefault("required", [])
        return required


def sites(document: Json) -> list[Site]:
    """Those that are met at all."""
    return [
        Site(node, name, sent, parts)
        for node, sent, parts in _objects(document)
        for name in node["properties"]
        if name != "kind" and parts
    ]


def met(document: Json) -> dict[int, frozenset[str]]:
    """By the object in which fields are written down."""
    return {id(node): parts for node, _, parts in _objects(document)}


def _objects(document: Json) -> Iterator[tuple[Json, bool, frozenset[str]]]:
    shapes = document["components"]["schemas"]
    inner = _inner(shapes)
    leads = {name: _reached(inner, name) for name in shapes}
    parts: dict[str, set[str]] = {name: set() for name in shapes}
    for part, sent, schema in _bodies(document):
        for node in _nodes(schema):
            if "properties" in node:
                yield node, sent, frozenset({part})
        for first in _references(schema):
            for name in leads[first]:
                parts[name].add(part)
    for name, shape in shapes.items():
        for node in _nodes(shape):
            if "properties" in node:
                yield node, name.startswith("Sent"), frozenset(parts[name])


def refers_to_itself(document: Json) -> bool:
    inner = _inner(document["components"]["schemas"])
    return any(name in _reached(inner, each) for name in inner for each in inner[name])


def _bodies(document: Json) -> Iterator[tuple[str, bool, Json]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            operation, place = item.get(method, {}), f"{method.upper()} {path}"
            if body := operation.get("requestBody"):
                taken = body["content"]["application/json"]["schema"]
                yield f"{place} request application/json", True, taken
            for status, answer in operation.get("responses", {}).items():
                for media, content in answer.get("content", {}).items():
                    if "schema" not in content:
                        continue
                    yield f"{place} {status} {media}", False, content["schema"]


def _inner(shapes: Json) -> dict[str, list[str]]:
    return {name: list(_references(shape)) for name, shape in shapes.items()}


def _reached(inner: dict[str, list[str]], first: str) -> set[str]:
    found: set[str] = set()
    waiting = [first]
    while waiting:
        if (name := waiting.pop()) not in found:
            found.add(name)
            waiting += inner[name]
    return found


def _references(schema: Json) -> Iterator[str]:
    for node in _nodes(schema):
        if reference := node.get("$ref"):
            yield reference.rpartition("/")[2]


def _nodes(node: Any) -> Iterator[Json]:
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
