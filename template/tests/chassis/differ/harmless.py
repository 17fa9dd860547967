"""Changes that break nobody: of what is offered, and of how the same is written down."""

import json
from copy import deepcopy
from random import Random
from typing import Any

from chassis.differ.documents import PROBLEM, Json
from chassis.differ.sites import Site

KINDS = frozenset({"type", "anyOf", "oneOf", "$ref"})


def grow(site: Site) -> None:
    """More is accepted, less is sent; a field more does no harm either way."""
    schema, name = site.schema, f"more{site.name}"
    site.parent["properties"][name] = {"type": "string"}
    if "enum" in schema:
        values = schema["enum"]
        schema["enum"] = ["also", *values] if site.sent else values[:-1]
    elif "maxLength" in schema:
        schema["maxLength"] += 5 if site.sent else -5
    elif site.sent and site.name in site.required:
        site.required.remove(site.name)
    elif not site.sent and site.name not in site.required:
        site.required.append(site.name)
    elif site.sent and schema.get("type") == "integer":
        schema["type"] = ["integer", "string"]
    elif not site.sent and "oneOf" in schema:
        schema["oneOf"].pop(0)


def offer_more(dice: Random, document: Json) -> None:
    paths = document["paths"]
    for path in dice.sample(sorted(paths), 5):
        for operation in paths[path].values():
            operation["responses"]["409"] = PROBLEM
            asked = {"in": "query", "name": "more", "schema": {"type": "boolean"}}
            operation["parameters"].append(asked)
            operation["security"].append({})
    paths["/v1/new"] = {"get": {"responses": {"200": {"description": "New"}}}}


def rewritten(dice: Random, document: Json) -> Json:
    """Says the same in other words, so that hardly a line is as it was."""
    shapes = document["components"]["schemas"]
    written = _everywhere(dice, document, shapes)
    others = {name: f"Other{number}" for number, name in enumerate(shapes)}
    text = (
        json.dumps(written)
        .replace("{id}", "{thing_id}")
        .replace('"name": "id"', '"name": "thing_id"')
    )
    for name, other in others.items():
        text = text.replace(f'/schemas/{name}"', f'/schemas/{other}"')
    renamed: Json = json.loads(text)
    found = renamed["components"]["schemas"]
    renamed["components"]["schemas"] = {others[name]: found[name] for name in _mixed(dice, found)}
    return renamed


def _everywhere(dice: Random, node: Any, shapes: Json) -> Any:
    if isinstance(node, list):
        return [_everywhere(dice, each, shapes) for each in node]
    if not isinstance(node, dict):
        return node
    node = {key: _everywhere(dice, node[key], shapes) for key in _mixed(dice, node)}
    if "$ref" in node and "/schemas/" in node["$ref"] and dice.random() < 0.05:
        # As it was, with the references in it.
        return deepcopy(shapes[node["$ref"].rpartition("/")[2]])
    if not (KINDS & node.keys()) or "in" in node or "/responses/" in node.get("$ref", ""):
        return node
    return _restated(dice, node)


def _restated(dice: Random, schema: Json) -> Json:
    said = {"description": "In other words", "examples": ["any"]}
    options = schema.get("anyOf", ())
    if len(options) == 2 and isinstance(options[0].get("type"), str) and dice.random() < 0.5:
        return (
            {**options[0], "type": ["null", options[0]["type"]]}
            if "enum" not in options[0]
            else schema
        )
    if schema.get("type") == "boolean" and dice.random() < 0.5:
        return {"enum": [False, True]}
    if "const" in schema and dice.random() < 0.5:
        return {"enum": [schema["const"]]}
    if dice.random() < 0.1:
        return {"allOf": [schema], **said}
    if "oneOf" in schema and dice.random() < 0.5:
        return {
            "anyOf": dice.sample(schema["oneOf"], len(schema["oneOf"])),
            **{k: v for k, v in schema.items() if k != "oneOf"},
        }
    return {**schema, **said} if dice.random() < 0.3 else schema


def _mixed(dice: Random, named: Json) -> list[str]:
    return dice.sample(list(named), len(named))
