"""For each rule about schemas: before, what breaks that rule alone, and what breaks nothing."""

from chassis.differ.documents import (
    BILL,
    CARD,
    CASH,
    LISTED,
    LONGER,
    NULL,
    NUMBER,
    TEXT,
    Json,
    answers,
    sends,
    thing,
)

DATE: Json = {"type": "string", "format": "date"}
CODE: Json = {"type": "string", "pattern": "^[a-z]+$"}
SHORT: Json = {"type": "string", "maxLength": 10}
SHORTER: Json = {"type": "string", "maxLength": 9}
LIST: Json = {"type": "array", "items": TEXT}
SET: Json = {**LIST, "uniqueItems": True}
OPEN: Json = {"type": "object", "properties": {"a": TEXT}}
OR_NULL: Json = {"anyOf": [TEXT, NULL]}
OR_NUMBER: Json = {"type": ["string", "number"]}


def one_of(*options: Json, by: str = "kind") -> Json:
    return {"oneOf": list(options), "discriminator": {"propertyName": by}}


def grows(*values: str) -> Json:
    return {"type": "string", "enum": list(values), "x-open-enum": True}


SENT: dict[str, tuple[Json, Json, Json]] = {
    "request-field-removed": (
        sends(thing(a=TEXT, b=TEXT)),
        sends(thing(a=TEXT, c=TEXT)),
        sends(thing(a=TEXT, b=TEXT, c=TEXT)),
    ),
    "request-field-required": (
        sends(thing(("a",), a=TEXT, b=TEXT)),
        sends(thing(("a", "c"), a=TEXT, b=TEXT, c=TEXT)),
        sends(thing((), a=TEXT, b=TEXT, c=TEXT)),
    ),
    "request-type-narrowed": (sends({"type": "number"}), sends(NUMBER), sends(OR_NUMBER)),
    "request-null-refused": (sends(OR_NULL), sends(TEXT), sends({"type": ["null", "string"]})),
    "request-enum-narrowed": (sends(LISTED), sends({"const": "a"}), sends(LONGER)),
    "request-bound-tightened": (sends(SHORT), sends(SHORTER), sends(TEXT)),
    "request-pattern-added": (sends({**CODE, "pattern": "^[a-z0-9]+$"}), sends(CODE), sends(TEXT)),
    "request-format-narrowed": (sends(TEXT), sends(DATE), sends({**TEXT, "description": "A day"})),
    "request-branch-removed": (
        sends({"oneOf": [CARD, BILL]}),
        sends({"oneOf": [BILL]}),
        sends({"anyOf": [CASH, BILL, CARD]}),
    ),
    "request-duplicates-refused": (sends(LIST), sends(SET), sends({**LIST, "uniqueItems": False})),
    "request-object-closed": (
        sends(OPEN),
        sends({**OPEN, "additionalProperties": False}),
        sends({**OPEN, "additionalProperties": True}),
    ),
    "request-discriminator-changed": (
        sends(one_of(CARD, BILL)),
        sends(one_of(CARD, BILL, by="type")),
        sends(one_of(BILL, CARD, CASH)),
    ),
    "request-default-changed": (
        sends(thing(a={**NUMBER, "default": 20})),
        sends(thing(a={**NUMBER, "default": 50})),
        sends(thing(a={**NUMBER, "default": 20}, b={**NUMBER, "default": 1})),
    ),
}
RECEIVED: dict[str, tuple[Json, Json, Json]] = {
    "response-field-removed": (
        answers(thing(("a",), a=TEXT, b=TEXT)),
        answers(thing(("a",), a=TEXT, c=TEXT)),
        answers(thing(("a", "c"), a=TEXT, b=TEXT, c=TEXT)),
    ),
    "response-field-optional": (
        answers(thing(("a",), a=TEXT, b=TEXT)),
        answers(thing((), a=TEXT, b=TEXT)),
        answers(thing(("a", "b"), a=TEXT, b=TEXT)),
    ),
    "response-type-widened": (answers({"type": "number"}), answers(OR_NUMBER), answers(NUMBER)),
    "response-null-added": (answers(TEXT), answers(OR_NULL), answers({**TEXT, "minLength": 1})),
    "response-enum-widened": (answers(LISTED), answers(LONGER), answers({"const": "b"})),
    "response-open-value-removed": (
        answers(grows("a", "b")),
        answers(grows("b", "c")),
        answers(grows("a", "b", "c")),
    ),
    "response-bound-loosened": (answers(SHORT), answers(TEXT), answers(SHORTER)),
    "response-pattern-lost": (answers(CODE), answers(TEXT), answers({**CODE, "minLength": 1})),
    "response-format-lost": (answers(DATE), answers(TEXT), answers({**DATE, "maxLength": 10})),
    "response-branch-added": (
        answers({"oneOf": [CARD, BILL]}),
        answers({"oneOf": [CARD, CASH, BILL]}),
        answers({"oneOf": [BILL]}),
    ),
    "response-duplicates-added": (answers(SET), answers(LIST), answers({**SET, "maxItems": 9})),
    "response-discriminator-changed": (
        answers(one_of(CARD, BILL)),
        answers({"oneOf": [CARD, BILL]}),
        answers(one_of(BILL, CARD)),
    ),
}
SCHEMAS = {**SENT, **RECEIVED}
