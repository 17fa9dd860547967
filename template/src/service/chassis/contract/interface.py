"""The interface document, completed: every refusal, who may call, and which version was read."""

import re
from collections.abc import Iterable
from typing import Any

from service.chassis.contract.guards import Public, Route
from service.chassis.contract.problems import CATALOGUE, MEDIA_TYPE
from service.chassis.contract.versions import ETAG
from service.chassis.contract.words import of_problem

Json = dict[str, Any]
BEARER = "bearer"
VERSIONED = re.compile(r"/v[1-9][0-9]*(?:/|$)")
# What any route can answer: bad input, a limit, a crash, a dependency that is down.
ALWAYS = frozenset({400, 422, 429, 500, 503})
GUARDED = frozenset({401, 403, 404, 409})
WITH_BODY = frozenset({413, 415})
WITH_VERSION = frozenset({412, 428})
FRAMEWORKS_OWN = ("HTTPValidationError", "ValidationError")

PROBLEM: Json = {
    "type": "object",
    "title": "Problem",
    "description": "Every answer of 400 and above, in the form of RFC 9457.",
    "required": ["type", "title", "status", "code", "message", "detail", "trace_id"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        # More may come: who meets an unknown one goes by the status.
        "code": {"type": "string", "enum": sorted(CATALOGUE), "x-open-enum": True},
        # For people, in the language that was asked for; `detail` is for who writes the caller.
        "message": {"type": "string"},
        "detail": {"type": "string"},
        "trace_id": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
        "fields": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
ETAG_HEADER: Json = {
    "description": "The version of what is shown; send it back as If-Match to change it.",
    "schema": {"type": "string", "pattern": f"^{ETAG.pattern}$"},
}


def completed(document: Json, routes: Iterable[Route]) -> Json:
    """What FastAPI cannot know of ours, put into its document in place; once is enough."""
    components = document.setdefault("components", {})
    if "Problem" in components.setdefault("schemas", {}):
        return document
    for name in FRAMEWORKS_OWN:
        components["schemas"].pop(name, None)
    components["schemas"]["Problem"] = PROBLEM
    statuses = {kind.status for kind in CATALOGUE.values()}
    components["responses"] = {str(status): _response(status) for status in sorted(statuses)}
    components["securitySchemes"] = {BEARER: {"type": "http", "scheme": "bearer"}}
    for route in routes:
        operations = document["paths"].get(route.path, {})
        if operation := operations.get(route.method.lower()):
            versioned = any(_if_match(each) for each in operations.values())
            operation["security"] = [] if isinstance(route.access, Public) else [{BEARER: []}]
            if route.deprecation:
                said = f"{operation.get('description', '')}\n\n{route.deprecation}".strip()
                operation |= {**route.deprecation.documented, "description": said}
            # Some public routes want a credential of another kind: a password, a cookie, a token.
            _complete(operation, refuses=bool(VERSIONED.match(route.path)), versioned=versioned)
    return document


def _response(status: int) -> Json:
    kinds = [kind for kind in CATALOGUE.values() if kind.status == status]
    headers = {name: {"schema": {"type": "string"}} for kind in kinds for name, _ in kind.headers}
    return {
        "description": " ".join(of_problem(kind.code).title for kind in kinds),
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        "headers": headers,
    }


def _complete(operation: Json, *, refuses: bool, versioned: bool) -> None:
    known = {kind.status for kind in CATALOGUE.values()}
    for status in sorted(_refusals(operation, refuses=refuses) & known):
        refusal = {"$ref": f"#/components/responses/{status}"}
        operation["responses"][str(status)] = refusal
    if if_match := _if_match(operation):
        if_match.update(required=True, schema=ETAG_HEADER["schema"])
    for answer, response in operation["responses"].items():
        if stream := response.get("content", {}).get("text/event-stream"):
            stream["itemSchema"] = _event(stream.pop("schema"))
        if versioned and answer.startswith("2"):
            response.setdefault("headers", {})["ETag"] = ETAG_HEADER


def _event(data: Json) -> Json:
    """As FastAPI documents events, with what `data` holds; a stream as a whole has no schema."""
    shown = {"type": "string", "contentMediaType": "application/json"}
    # FastAPI calls whatever an event stream is a string.
    meant = {key: value for key, value in data.items() if key != "type"}
    return {
        "type": "object",
        "required": ["data", "event"],
        "properties": {
            "data": {**shown, "contentSchema": meant},
            "event": {"type": "string"},
            "id": {"type": "string", "pattern": "^[0-9]+$"},
        },
    }


def _refusals(operation: Json, *, refuses: bool) -> frozenset[int]:
    return frozenset().union(
        ALWAYS,
        GUARDED if refuses else (),
        WITH_BODY if "requestBody" in operation else (),
        WITH_VERSION if _if_match(operation) else (),
    )


def _if_match(operation: Json) -> Json | None:
    found = (each for each in operation.get("parameters", ()) if each["name"] == "if-match")
    return next(found, None)
