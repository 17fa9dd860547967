"""Bodies made from their JSON schema, with a canary in every text."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

Schema = Mapping[str, Any]
ROOM = 80
FIXED = {"date-time": "2026-01-01T00:00:00Z", "date": "2026-01-01"}


class Unknown(Exception):
    """A schema that cannot be filled; the message says what to add."""


def resolved(document: Schema, schema: Schema) -> Schema:
    """The schema that a reference stands for."""
    found: Any = document if "$ref" in schema else schema
    for part in schema.get("$ref", "#").removeprefix("#").strip("/").split("/"):
        found = found[part] if part else found
    meant: Schema = found
    return meant


def takes_canary(schema: Schema) -> bool:
    """An example would do; but where any text does, the canary tells whose it is."""
    if schema.get("format") == "email":
        return True
    free = schema.keys().isdisjoint({"format", "pattern", "enum", "const"})
    return free and schema.get("type") == "string" and schema.get("maxLength", ROOM) >= ROOM


class Examples:
    def __init__(self, document: Schema, canary: str, ids: Mapping[str, str]) -> None:
        """`ids` are the values of fields of these names."""
        self._document, self._canary, self._ids = document, canary, ids

    def of(self, schema: Schema) -> Any:
        if "$ref" in schema:
            return self.of(resolved(self._document, schema))
        if (shown := schema.get("examples")) and not takes_canary(schema):
            return shown[0]
        if "const" in schema or "enum" in schema:
            return schema.get("const", schema.get("enum", [None])[0])
        for choices in ("anyOf", "oneOf", "allOf"):
            if choices in schema:
                return self.of(schema[choices][0])
        return self._typed(schema)

    def _typed(self, schema: Schema) -> Any:
        match schema.get("type"):
            case "object":
                fields = schema.get("properties", {})
                return {name: self._ids.get(name) or self.of(f) for name, f in fields.items()}
            case "array":
                return [self.of(schema["items"])] if schema.get("items") else []
            case "integer" | "number":
                least = schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
                return int(least) if schema["type"] == "integer" else least
            case "boolean":
                return False
            case "string":
                return self._text(schema)
        raise Unknown(f"give it examples=[…], because no value can be made up for {dict(schema)}")

    def _text(self, schema: Schema) -> str:
        if schema.get("format") == "uuid":
            return str(uuid4())
        if schema.get("format") in FIXED:
            return FIXED[schema["format"]]
        if schema.get("format") == "email":
            return f"{self._canary}-{uuid4().hex}@example.org"
        if "pattern" in schema or schema.get("maxLength", ROOM) < ROOM:
            raise Unknown(f"give it examples=[…], because a canary does not fit {dict(schema)}")
        return f"{self._canary}-{uuid4().hex}"
