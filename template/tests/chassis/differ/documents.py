"""Small documents to compare: one route, and what is different about it."""

from typing import Any

Json = dict[str, Any]
BEARER: Json = {"bearer": {"type": "http", "scheme": "bearer"}}
PROBLEM: Json = {"description": "Refused", "content": {"application/problem+json": {}}}


def document(paths: Json, **components: Json) -> Json:
    info = {"title": "Things", "version": "v1"}
    return {"openapi": "3.1.0", "info": info, "paths": paths, "components": components}


def route(method: str = "get", path: str = "/things", **operation: Any) -> Json:
    return document({path: {method: {"responses": {"200": {"description": "Done"}}, **operation}}})


def sends(schema: Any, **schemas: Any) -> Json:
    """A route that takes a body of this schema."""
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    return {**route("post", requestBody=body), "components": {"schemas": schemas}}


def answers(schema: Any, **schemas: Any) -> Json:
    """A route that answers with this schema."""
    content = {"application/json": {"schema": schema}}
    responses = {"200": {"description": "Done", "content": content}}
    return {**route(responses=responses), "components": {"schemas": schemas}}


def asks(**parameter: Any) -> Json:
    """A route with this query parameter."""
    return route(parameters=[{"name": "limit", "in": "query", **parameter}])


def replies(**responses: Any) -> Json:
    """A route with these answers: `_200={…}`."""
    return route(
        responses={status[1:]: {"description": "", **r} for status, r in responses.items()}
    )


def thing(required: tuple[str, ...] = (), /, **fields: Any) -> Json:
    """A closed object."""
    return {
        "type": "object",
        "properties": fields,
        "required": list(required),
        "additionalProperties": False,
    }


TEXT: Json = {"type": "string"}
NUMBER: Json = {"type": "integer"}
NULL: Json = {"type": "null"}
LISTED: Json = {"type": "string", "enum": ["a", "b"]}
LONGER: Json = {"type": "string", "enum": ["a", "b", "c"]}
CARD = thing(("kind", "number"), kind={"const": "card"}, number=TEXT)
BILL = thing(("kind", "address"), kind={"const": "bill"}, address=TEXT)
CASH = thing(("kind", "till"), kind={"const": "cash"}, till=TEXT)
