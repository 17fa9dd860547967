"""Changes of which it is known beforehand whether, how and where they break a caller."""

from collections.abc import Callable, Iterator
from random import Random

from chassis.differ.documents import CASH, Json
from chassis.differ.sites import Site

# Makes the change; says which field tells of it and by which rule, or None if it does not fit.
Told = tuple[str, str] | None
Change = Callable[[Site], Told]


def removed(site: Site) -> Told:
    del site.parent["properties"][site.name]
    site.parent["required"] = [name for name in site.required if name != site.name]
    return site.name, "request-field-removed" if site.sent else "response-field-removed"


def demanded(site: Site) -> Told:
    if not site.sent or site.name in site.required:
        return None
    site.required.append(site.name)
    return site.name, "request-field-required"


def new_and_demanded(site: Site) -> Told:
    if not site.sent:
        return None
    name = f"new{site.name}"
    site.parent["properties"][name] = {"type": "string"}
    site.required.append(name)
    return name, "request-field-required"


def no_longer_promised(site: Site) -> Told:
    if site.sent or site.name not in site.required:
        return None
    site.required.remove(site.name)
    return site.name, "response-field-optional"


def other_values(site: Site) -> Told:
    if "enum" not in site.schema:
        return None
    if site.sent:
        site.schema["enum"] = site.schema["enum"][1:]
        return site.name, "request-enum-narrowed"
    site.schema["enum"] = [*site.schema["enum"], "unheard of"]
    return site.name, "response-enum-widened"


def other_bounds(site: Site) -> Told:
    if "maxLength" not in site.schema:
        return None
    site.schema["maxLength"] += -1 if site.sent else 1
    return site.name, "request-bound-tightened" if site.sent else "response-bound-loosened"


def other_type(site: Site) -> Told:
    if site.schema.get("type") not in {"integer", "number", "boolean"}:
        return None
    site.parent["properties"][site.name] = {"type": "string"}
    return site.name, "request-type-narrowed" if site.sent else "response-type-widened"


def other_format(site: Site) -> Told:
    if "format" not in site.schema:
        return None
    site.schema["format"] = "email"
    return site.name, "request-format-narrowed" if site.sent else "response-format-lost"


def other_pattern(site: Site) -> Told:
    if "pattern" not in site.schema:
        return None
    site.schema["pattern"] = "^[A-Z]+$"
    return site.name, "request-pattern-added" if site.sent else "response-pattern-lost"


def null(site: Site) -> Told:
    options = site.schema.get("anyOf")
    if site.sent and options:
        site.parent["properties"][site.name] = options[0]
        return site.name, "request-null-refused"
    if site.sent or options:
        return None
    site.parent["properties"][site.name] = {"anyOf": [{"type": "null"}, site.schema]}
    return site.name, "response-null-added"


def other_options(site: Site) -> Told:
    if "oneOf" not in site.schema:
        return None
    if site.sent:
        site.schema["oneOf"].pop()
        return site.name, "request-branch-removed"
    till = {**CASH, "properties": {**CASH["properties"], "kind": {"const": "till"}}}
    site.schema["oneOf"].append(till)
    return site.name, "response-branch-added"


def no_duplicates(site: Site) -> Told:
    if not site.sent or site.schema.get("type") != "array" or "items" not in site.schema:
        return None
    site.schema["uniqueItems"] = True
    return site.name, "request-duplicates-refused"


def other_default(site: Site) -> Told:
    if not site.sent or "default" not in site.schema:
        return None
    site.schema["default"] = "otherwise"
    return site.name, "request-default-changed"


BREAKING: tuple[Change, ...] = (
    *(removed, demanded, new_and_demanded, no_longer_promised, other_values, other_bounds),
    *(other_type, other_format, other_pattern, null, other_options, no_duplicates, other_default),
)


def on_operation(dice: Random, document: Json) -> Iterator[tuple[str, str]]:
    """One change of a whole operation."""
    path = dice.choice(sorted(document["paths"].keys() - {"/v1/new"}))
    item = document["paths"][path]
    method = dice.choice(sorted(item))
    place, operation = f"{method.upper()} {path}", item[method]
    asked = [each for each in operation["parameters"] if each["name"][0] == "f"]
    match dice.randrange(6):
        case 0:
            del item[method]
            yield (place, "operation-removed") if item else (path, "path-removed")
        case 1 if asked:
            operation["parameters"].remove(asked[0])
            yield f"{place} query {asked[0]['name']}", "parameter-removed"
        case 2:
            new = {"in": "query", "name": "new", "required": True, "schema": {"type": "string"}}
            operation["parameters"].append(new)
            yield f"{place} query new", "parameter-required"
        case 3:
            name = next(iter(operation["responses"]["200"]["headers"]))
            operation["responses"]["200"]["headers"] = {}
            yield f"{place} 200 header {name}", "response-header-removed"
        case 4 if "requestBody" in operation:
            del operation["requestBody"]["content"]["text/csv"]
            yield f"{place} request", "request-media-type-removed"
        case _:
            operation["security"] = [{"bearer": [], "key": []}]
            yield place, "security-tightened"
