"""Whether one plain alternative allows a value that another does not, apart from what is inside."""

import re
from collections.abc import Iterator
from fractions import Fraction
from math import inf
from typing import Any

from dev.differ.documents import Json
from dev.differ.rules import RECEIVED, Direction
from dev.differ.shapes import key_of

# What of a schema differs, and what exactly.
Difference = tuple[str, str]
# By the name of an edge: its exclusive form, and 1 where more is narrower.
EDGES = {
    "minimum": ("exclusiveMinimum", 1),
    "maximum": ("exclusiveMaximum", -1),
    **dict.fromkeys(("minLength", "minItems", "minProperties"), ("", 1)),
    **dict.fromkeys(("maxLength", "maxItems", "maxProperties"), ("", -1)),
}
# Nothing is shorter than nothing.
COUNTS = frozenset({"minLength", "minItems", "minProperties"})
WIDER = {"int32": "int64", "float": "double"}


def differences(sub: Json, sup: Json, direction: Direction) -> Iterator[Difference]:
    """What lets through a value of `sub` that is none of `sup`; both have the same type."""
    yield from _listed(sub, sup, direction)
    narrow = {**sub, **_implied(sub)}
    yield from _bounds(narrow, sup)
    yield from _texts(narrow, sup)
    if sup.get("uniqueItems") and not sub.get("uniqueItems"):
        yield "unique", ""


def _listed(sub: Json, sup: Json, direction: Direction) -> Iterator[Difference]:
    if "enum" not in sup:
        return
    known = {key_of(value) for value in sup["enum"]}
    there = {key_of(value) for value in sub.get("enum", ())}
    if sup["x-open-enum"]:
        # Any value may come or be sent; only callers that wait for one of the list can lose it.
        if direction is RECEIVED and "enum" in sub:
            yield from (("open", value) for value in sorted(known - there))
    elif "enum" not in sub or sub["x-open-enum"]:
        yield "enum", "any value"
    else:
        yield from (("enum", value) for value in sorted(there - known))


def _implied(branch: Json) -> Json:
    """The bounds that a list of values keeps, so that it fits into bounds without a list."""
    if "enum" not in branch or branch["x-open-enum"]:
        return {}
    values = branch["enum"]
    if branch["type"] == "string":
        return {"minLength": min(map(len, values)), "maxLength": max(map(len, values))}
    if branch["type"] in {"integer", "number"}:
        return {"minimum": min(values), "maximum": max(values)}
    return {}


def _bounds(sub: Json, sup: Json) -> Iterator[Difference]:
    for name, (exclusive, _) in EDGES.items():
        if name in sup or exclusive in sup:
            wanted, kept = _edge(sup, name), _edge(sub, name)
            if wanted > kept and not (name in COUNTS and wanted[0] == 0):
                yield "bound", name
    if (step := sup.get("multipleOf")) and not _steps(sub, step):
        yield "bound", "multipleOf"


def _edge(branch: Json, name: str) -> tuple[float | Fraction, bool]:
    """The greater, the narrower; an edge that is left out is narrower than one that is in."""
    exclusive, sign = EDGES[name]
    edges: list[tuple[float | Fraction, bool]] = [(-inf, False)]
    if name in branch:
        edges.append((_exact(branch[name]) * sign, False))
    if exclusive in branch:
        edge, whole = _exact(branch[exclusive]) * sign, branch["type"] == "integer"
        edges.append((Fraction(edge // 1 + 1), False) if whole else (edge, True))
    return max(edges)


def _steps(sub: Json, step: Any) -> bool:
    if "enum" not in sub and "multipleOf" not in sub:
        return bool(sub["type"] == "integer" and _exact(step) == 1)
    values = sub.get("enum") or [sub["multipleOf"]]
    return all(_exact(value) % _exact(step) == 0 for value in values)


def _exact(number: Any) -> Fraction:
    return Fraction(str(number))


def _texts(sub: Json, sup: Json) -> Iterator[Difference]:
    for pattern in sorted(sup.get("pattern", frozenset()) - sub.get("pattern", frozenset())):
        if not _all_match(pattern, sub):
            yield "pattern", pattern
    kept = sub.get("format", frozenset())
    for wanted in sorted(sup.get("format", frozenset()) - kept):
        if wanted not in {WIDER.get(each) for each in kept} and "enum" not in sub:
            yield "format", wanted


def _all_match(pattern: str, branch: Json) -> bool:
    values = branch.get("enum", ())
    try:
        return bool(values) and all(re.search(pattern, value) for value in values)
    except re.error:
        return False
