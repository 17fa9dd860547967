"""What callers rely on, as committed files: the template's part, and yours.

Two files, so that an update never writes where you do. Yours holds only what your features add,
and refers to the other for the rest. Which answers a service was generated with plays no part:
the routes of accounts are locked, whether they are offered or not.
"""

import json
from collections.abc import Callable, Collection, Sequence
from typing import Any

from fastapi import APIRouter

from dev.database import ROOT
from dev.differ import Json
from dev.differ.documents import references
from dev.surface_code import application
from service.product import FEATURES

CHASSIS, PRODUCT = "contract/chassis.openapi.json", "contract/product.openapi.json"
THERE = "chassis.openapi.json#"
TITLES = {CHASSIS: "The template's part", PRODUCT: "What the features add"}
# By a path in this project, the text of the file; None if it is not there.
Read = Callable[[str], str | None]


def on_disk(path: str) -> str | None:
    file = ROOT / path
    return file.read_text("utf-8") if file.exists() else None


def served(features: Sequence[APIRouter] = FEATURES) -> dict[str, Json]:
    """The locks as they should be: from the code."""
    return split(application(()).openapi(), application(features).openapi())


def locked(read: Read = on_disk) -> Json:
    """Both locks as one document; nothing is promised by a lock that is not there."""
    chassis, product = (json.loads(read(path) or "{}") for path in (CHASSIS, PRODUCT))
    return joined(chassis, product)


def split(chassis: Json, whole: Json) -> dict[str, Json]:
    """One document for each owner."""
    own = {path: item for path, item in whole["paths"].items() if path not in chassis["paths"]}
    theirs, known = _components(chassis), _components(whole)
    needed = _reachable(own, known)
    added: dict[str, Json] = {}
    for kind, name in sorted(needed):
        if theirs.get((kind, name)) != known[kind, name]:
            added.setdefault(kind, {})[name] = known[kind, name]
    product: Json = {"paths": own, "components": added} if added else {"paths": own}
    here = {f"#/components/{kind}/{name}" for kind in added for name in added[kind]}
    return {
        CHASSIS: _document(CHASSIS, chassis),
        PRODUCT: _document(PRODUCT, _elsewhere(product, here)),
    }


def joined(chassis: Json, product: Json) -> Json:
    components = {
        kind: {**chassis.get("components", {}).get(kind, {}), **named}
        for document in (chassis, product)
        for kind, named in document.get("components", {}).items()
    }
    paths = {**chassis.get("paths", {}), **product.get("paths", {})}
    whole: Json = json.loads(_text({"components": components, "paths": paths}).replace(THERE, "#"))
    return whole


def without(document: Json, paths: Collection[str]) -> Json:
    kept = {path: item for path, item in document["paths"].items() if path not in paths}
    return {**document, "paths": kept}


def written(lock: Json) -> str:
    """Stable, so that a change of the code changes no other line."""
    return json.dumps(lock, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _document(path: str, content: Json) -> Json:
    info = {"title": TITLES[path], "version": "v1"}
    parts: Json = {name: content[name] for name in ("components", "paths") if name in content}
    return {"openapi": "3.1.0", "info": info, **parts}


def _components(document: Json) -> dict[tuple[str, str], Any]:
    kinds = document.get("components", {}).items()
    return {(kind, name): node for kind, named in kinds for name, node in named.items()}


def _reachable(node: Any, known: dict[tuple[str, str], Any]) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    waiting = list(references(node))
    while waiting:
        _, _, kind, name = waiting.pop().split("/", 3)
        if (kind, name) not in found:
            found.add((kind, name))
            waiting += references(known[kind, name])
    return found


def _elsewhere(node: Any, here: Collection[str]) -> Any:
    """Whatever this file does not hold is in the template's."""
    if isinstance(node, list):
        return [_elsewhere(each, here) for each in node]
    if not isinstance(node, dict):
        return node
    moved = {key: _elsewhere(value, here) for key, value in node.items()}
    reference = moved.get("$ref")
    if isinstance(reference, str) and reference not in here:
        moved["$ref"] = THERE.removesuffix("#") + reference
    return moved


def _text(document: Json) -> str:
    return json.dumps(document)
