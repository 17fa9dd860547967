"""A schema as plain alternatives: one type each, without references, unions and intersections.

However the same set of values is written down (inlined, renamed, in another order, `type` as a
list or `anyOf`, `const` or `enum`), it comes out alike.
"""

import json
from collections.abc import Callable, Iterable
from itertools import product
from typing import Any

from dev.differ.documents import Document, Json
from dev.differ.rules import Unjudged

AT_MOST = 200
# Whole numbers apart from the others: `integer` is a part of `number`.
TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
NUMBERS = frozenset(
    ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "format")
)
RELEVANT = {
    "null": frozenset[str](),
    "boolean": frozenset[str](),
    "integer": NUMBERS,
    "number": NUMBERS,
    "string": frozenset({"minLength", "maxLength", "pattern", "format", "contentSchema"}),
    "array": frozenset({"items", "prefixItems", "minItems", "maxItems", "uniqueItems"}),
    "object": frozenset(
        ("properties", "required", "additionalProperties", "minProperties", "maxProperties")
    )
    | {"discriminator"},
}
KNOWN = frozenset[str]().union(*RELEVANT.values()) | {"type", "enum", "x-open-enum"}
# Said to readers; no value is valid or not because of it.
SAID = frozenset(
    ("title", "description", "default", "example", "examples", "deprecated", "readOnly")
) | {"writeOnly", "externalDocs", "xml", "$comment", "$defs", "$schema", "$id"}
COMBINING = frozenset({"$ref", "allOf", "anyOf", "oneOf", "const"})


def alternatives(document: Document, schema: Any) -> list[Json]:
    found = [
        branch
        for partial in _expanded(document, schema, frozenset())
        for kind in TYPES
        if kind in partial["type"] and (branch := _of_type(kind, partial)) is not None
    ]
    return _joined(found)


def annotation(document: Document, schema: Any, name: str) -> Any:
    """What a schema says of itself, also where it only refers to the one that says it."""
    if not isinstance(schema, dict):
        return None
    if name in schema:
        return schema[name]
    inner = [document.resolved(schema)] if "$ref" in schema else schema.get("allOf", ())
    said = (annotation(document, each, name) for each in inner)
    return next((each for each in said if each is not None), None)


def key_of(value: Any) -> str:
    """The same for the same value: 1 and 1.0 are one number, true is none."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True)


def _expanded(document: Document, schema: Any, above: frozenset[str]) -> list[Json]:
    if schema is False:
        return []
    if schema is True:
        return [{"type": frozenset(TYPES)}]
    if not isinstance(schema, dict):
        raise Unjudged(f"{schema!r} is no schema")
    found = [_own(schema)]
    if reference := schema.get("$ref"):
        if reference in above:
            raise Unjudged(f"{reference} refers to itself")
        target = _expanded(document, document.at(reference), above | {reference})
        found = _both(found, target)
    for each in schema.get("allOf", ()):
        found = _both(found, _expanded(document, each, above))
    for union in ("anyOf", "oneOf"):
        if union in schema:
            options = (_expanded(document, each, above) for each in schema[union])
            found = _both(found, [partial for option in options for partial in option])
    return found


def _own(schema: Json) -> Json:
    """The schema's own words, as far as they say which values are valid."""
    silent = SAID | COMBINING
    own = {k: v for k, v in schema.items() if k not in silent and (k in KNOWN or k[:2] != "x-")}
    own["type"] = _types(schema.get("type", TYPES))
    if "const" in schema:
        own["enum"] = [schema["const"]]
    for name in ("pattern", "format"):
        if name in own:
            own[name] = frozenset({str(own[name])})
    return own


def _types(said: Any) -> frozenset[str]:
    named = {said} if isinstance(said, str) else set(said)
    if not named.issubset(TYPES):
        raise Unjudged(f"{said} is no type")
    return frozenset(named | {"integer"} if "number" in named else named)


def _both(some: list[Json], others: list[Json]) -> list[Json]:
    if len(some) * len(others) > AT_MOST:
        raise Unjudged(f"more than {AT_MOST} alternatives")
    return [_merged(one, other) for one, other in product(some, others)]


def _merged(one: Json, other: Json) -> Json:
    merged = {**one, **other}
    for name in one.keys() & other.keys():
        merged[name] = _JOINING.get(name, _either)(one[name], other[name])
    return merged


def _all_of(one: Any, other: Any) -> Any:
    """As few words as possible, so that what refers to itself comes to an end."""
    if one == other or other is True:
        return one
    if one is True:
        return other
    if one is False or other is False:
        return False
    parts = [*_parts(one), *(part for part in _parts(other) if part not in _parts(one))]
    return {"allOf": parts} if len(parts) > 1 else parts[0]


def _parts(schema: Json) -> list[Any]:
    return list(schema["allOf"]) if schema.keys() == {"allOf"} else [schema]


def _properties(one: Json, other: Json) -> Json:
    shared = one.keys() & other.keys()
    return {**one, **other, **{name: _all_of(one[name], other[name]) for name in shared}}


def _positions(one: list[Any], other: list[Any]) -> list[Any]:
    longer, shorter = sorted((one, other), key=len, reverse=True)
    return [_all_of(*pair) for pair in zip(longer, shorter, strict=False)] + longer[len(shorter) :]


def _common(one: list[Any], other: list[Any]) -> list[Any]:
    known = {key_of(value) for value in other}
    return [value for value in one if key_of(value) in known]


def _either(one: Any, other: Any) -> Any:
    """No rule joins the two; together they are judged by whether they stay the same."""
    return one if one == other else sorted((one, other), key=key_of)


_JOINING: dict[str, Callable[[Any, Any], Any]] = {
    "type": frozenset.intersection,
    "pattern": frozenset.union,
    "format": frozenset.union,
    "enum": _common,
    "required": lambda one, other: sorted({*one, *other}),
    "properties": _properties,
    "prefixItems": _positions,
    "items": _all_of,
    "contentSchema": _all_of,
    "additionalProperties": _all_of,
    "uniqueItems": lambda one, other: one or other,
    **dict.fromkeys(("minimum", "exclusiveMinimum"), max),
    **dict.fromkeys(("minLength", "minItems", "minProperties"), max),
    **dict.fromkeys(("maximum", "exclusiveMaximum"), min),
    **dict.fromkeys(("maxLength", "maxItems", "maxProperties"), min),
}


def _of_type(kind: str, partial: Json) -> Json | None:
    """None if no value of this type is among those that are listed."""
    unknown = partial.keys() - KNOWN
    branch = {k: v for k, v in partial.items() if k in RELEVANT[kind] or k in unknown}
    branch["type"] = kind
    if "enum" in partial:
        listed = [value for value in partial["enum"] if _type_of(value) == kind]
        if not listed:
            return None
        if kind != "null":
            branch |= {"enum": listed, "x-open-enum": partial.get("x-open-enum", False)}
    elif kind == "boolean":
        branch |= {"enum": [False, True], "x-open-enum": False}
    return branch


def _type_of(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return "integer"
    names = {type(None): "null", bool: "boolean", int: "integer", float: "number"}
    return {**names, str: "string", list: "array"}.get(type(value), "object")


def _joined(branches: Iterable[Json]) -> list[Json]:
    """Lists of values of one type are one list; nothing stands twice."""
    kept: list[Json] = []
    listed: dict[str, Json] = {}
    for branch in branches:
        if branch.keys() <= {"type", "enum", "x-open-enum"} and "enum" in branch:
            first = listed.setdefault(branch["type"], {**branch, "enum": []})
            first["enum"] = first["enum"] + [v for v in branch["enum"] if v not in first["enum"]]
            first["x-open-enum"] = first.get("x-open-enum") or branch.get("x-open-enum", False)
            branch = first  # noqa: PLW2901
        if not any(branch is each or branch == each for each in kept):
            kept.append(branch)
    return kept
