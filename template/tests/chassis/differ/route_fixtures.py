"""For each rule about routes: before, what breaks that rule alone, and what breaks nothing."""

from chassis.differ.documents import (
    BEARER,
    NUMBER,
    PROBLEM,
    TEXT,
    Json,
    asks,
    document,
    replies,
    route,
)

OK: Json = {"responses": {"200": {"description": "Done"}}}
ENDING: Json = {**OK, "deprecated": True, "x-sunset": "2030-06-30"}
JSON_OR_CSV: Json = {"content": {"application/json": {}, "text/csv": {}}}
TAKES: Json = {"content": {"application/json": {"schema": TEXT}}}
TAKES_BOTH: Json = {"content": {"application/json": {"schema": TEXT}, "text/csv": {}}}
KEY: Json = {"key": {"type": "apiKey", "in": "header", "name": "x-key"}}


def secured(schemes: Json, *ways: Json) -> Json:
    return {**route(security=list(ways)), "components": {"securitySchemes": schemes}}


def bearer(**said: str) -> Json:
    return secured({"bearer": {**BEARER["bearer"], **said}}, {"bearer": []})


ROUTES: dict[str, tuple[Json, Json, Json]] = {
    "path-removed": (
        document({"/things/{id}": {"get": OK}, "/old": {"get": OK}}),
        document({"/items/{id}": {"get": OK}, "/old": {"get": OK}}),
        document({"/things/{thing_id}": {"get": OK}, "/old": {"get": OK}, "/new": {"get": OK}}),
    ),
    "operation-removed": (
        document(
            {"/things": {"get": OK, "put": OK, "delete": {**ENDING, "x-sunset": "2029-01-01"}}}
        ),
        document({"/things": {"get": OK, "post": OK}}),
        document({"/things": {"get": OK, "put": OK, "post": OK}}),
    ),
    "sunset-brought-forward": (
        document({"/things": {"get": ENDING}}),
        document({"/things": {"get": {**ENDING, "x-sunset": "2030-06-29"}}}),
        document({"/things": {"get": {**ENDING, "x-sunset": "2030-07-31"}}}),
    ),
    "security-tightened": (
        secured({**BEARER, **KEY}, {"bearer": []}, {"key": []}),
        secured({**BEARER, **KEY}, {"bearer": []}),
        secured({**BEARER, **KEY}, {"key": []}, {"bearer": []}, {}),
    ),
    "security-scheme-changed": (
        bearer(),
        bearer(scheme="basic"),
        bearer(description="A token of ours"),
    ),
    "parameter-removed": (
        asks(schema=NUMBER),
        route(),
        route(
            parameters=[
                {"name": "new", "in": "query", "schema": TEXT},
                {"name": "limit", "in": "query", "schema": NUMBER, "description": "At most"},
            ]
        ),
    ),
    "parameter-required": (
        asks(schema=NUMBER),
        asks(schema=NUMBER, required=True),
        asks(schema=NUMBER, required=False),
    ),
    "parameter-form-changed": (
        asks(schema={"type": "array"}),
        asks(schema={"type": "array"}, explode=False),
        asks(schema={"type": "array"}, explode=True, style="form"),
    ),
    "request-body-removed": (
        route("post", requestBody=TAKES),
        route("post"),
        route("post", requestBody={**TAKES, "description": "What to do"}),
    ),
    "request-body-required": (
        route("post", requestBody=TAKES),
        route("post", requestBody={**TAKES, "required": True}),
        route("post", requestBody={**TAKES, "required": False}),
    ),
    "request-media-type-removed": (
        route("post", requestBody=TAKES_BOTH),
        route("post", requestBody=TAKES),
        route("post", requestBody={"content": {**TAKES["content"], "text/*": {}}}),
    ),
    "response-status-removed": (
        replies(_200={}, _404=PROBLEM, _202={}),
        replies(_200={}, _404=PROBLEM),
        replies(_200={}, _202={}),
    ),
    "response-status-added": (
        replies(_200={}),
        replies(_200={}, _303={}),
        replies(_200={}, _409=PROBLEM),
    ),
    "error-form-unknown": (
        replies(_200={}),
        replies(_200={}, _409={"content": {"text/plain": {"schema": TEXT}}}),
        replies(_200={}, _409=PROBLEM),
    ),
    "response-media-type-removed": (
        replies(_200=JSON_OR_CSV),
        replies(_200={"content": {"application/json": {}}}),
        replies(_200={"content": {**JSON_OR_CSV["content"], "text/html": {}}}),
    ),
    "response-header-removed": (
        replies(_200={"headers": {"ETag": {"schema": TEXT}}}),
        replies(_200={"headers": {"Location": {"schema": TEXT}}}),
        replies(_200={"headers": {"Location": {"schema": TEXT}, "etag": {"schema": TEXT}}}),
    ),
    "cannot-be-judged": (
        route(callbacks={"done": {"{$url}": {"post": OK}}}),
        route(callbacks={"done": {"{$url}": {"put": OK}}}),
        route(callbacks={"done": {"{$url}": {"post": OK}}}, tags=["new"]),
    ),
}
