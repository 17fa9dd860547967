"""Large documents made at random; every field has a name of its own, so that it can be found."""

from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

from chassis.differ.documents import PROBLEM, Json

OPERATIONS, SHAPES = 54, 7
FORMATS = ("date", "date-time", "uuid")
SCALARS = ("short", "free", "listed", "whole", "number", "flag", "formatted", "coded", "defaulted")


@dataclass
class Maker:
    dice: Random
    # Shapes of what is sent and of what is received are apart, as Pydantic keeps them.
    shapes: dict[str, Json] = field(default_factory=dict)
    names: Any = field(default_factory=lambda: count(1))

    def document(self) -> Json:
        for way in ("Sent", "Shown"):
            for number in range(SHAPES):
                self.shapes[f"{way}{number}"] = self.thing(way, 2)
        paths: Json = {}
        for number in range(OPERATIONS):
            method = self.dice.choice(("get", "post", "put", "delete"))
            path = f"/v1/things{number // 2}/{{id}}/part{number % 2}"
            paths.setdefault(path, {})[method] = self.operation(method)
        return {
            "openapi": "3.1.0",
            "info": {"title": "Made at random", "version": "v1"},
            "paths": paths,
            "components": {"schemas": self.shapes, "responses": {"404": PROBLEM}},
        }

    def operation(self, method: str) -> Json:
        known = {"in": "path", "name": "id", "required": True, "schema": {"type": "string"}}
        asked = [self.parameter() for _ in range(self.dice.randint(0, 3))]
        content = {"application/json": {"schema": self.whole("Shown")}}
        headers = {f"X-{self.name()}": {"schema": {"type": "string"}}}
        done: Json = {"description": "", "content": content, "headers": headers}
        operation: Json = {
            "parameters": [known, *asked],
            "responses": {"200": done, "404": {"$ref": "#/components/responses/404"}},
            "security": [{"bearer": []}],
        }
        if method != "get":
            taken = {media: {"schema": self.whole("Sent")} for media in ("application/json",)}
            operation["requestBody"] = {"required": True, "content": {**taken, "text/csv": {}}}
        return operation

    def parameter(self) -> Json:
        schema = {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
        return {"in": "query", "name": self.name(), "schema": schema}

    def whole(self, way: str) -> Json:
        """Of a body: mostly one of the shapes."""
        if self.dice.random() < 0.8:
            return self.shape(way)
        return self.thing(way, 1)

    def shape(self, way: str) -> Json:
        return {"$ref": f"#/components/schemas/{way}{self.dice.randrange(SHAPES)}"}

    def name(self) -> str:
        return f"f{next(self.names)}"

    def thing(self, way: str, depth: int) -> Json:
        fields = {self.name(): self.field(way, depth) for _ in range(self.dice.randint(2, 4))}
        required = [name for name in fields if self.dice.random() < 0.6]
        made: Json = {"type": "object", "properties": fields, "required": required}
        return made | {"additionalProperties": False} if self.dice.random() < 0.5 else made

    def field(self, way: str, depth: int) -> Json:
        kind = self.dice.choice((*SCALARS, "nullable", "list", "map", "tuple", "union", "refers"))
        if kind in SCALARS or depth == 0:
            return self.scalar(kind if kind in SCALARS else "free")
        inner = self.dice.choice(
            (self.shape(way), self.thing(way, depth - 1), self.scalar("short"))
        )
        if kind == "nullable":
            return {"anyOf": [inner, {"type": "null"}]}
        if kind == "list":
            return {"type": "array", "items": inner}
        if kind == "map":
            return {"type": "object", "additionalProperties": inner}
        if kind == "tuple":
            return {"type": "array", "prefixItems": [inner, self.scalar("whole")], "items": False}
        return self.union(way, depth) if kind == "union" else self.shape(way)

    def inner(self, way: str, depth: int) -> Json:
        match self.dice.randrange(3):
            case 0:
                return self.shape(way)
            case 1:
                return self.thing(way, depth - 1)
            case _:
                return self.scalar("short")

    def union(self, way: str, depth: int) -> Json:
        options = [self.option(way, depth, each) for each in ("card", "bill", "cash")]
        return {"oneOf": options, "discriminator": {"propertyName": "kind"}}

    def option(self, way: str, depth: int, kind: str) -> Json:
        option = self.thing(way, depth - 1)
        option["properties"]["kind"] = {"type": "string", "const": kind}
        option["required"].append("kind")
        return option

    def scalar(self, kind: str) -> Json:
        text: Json = {"type": "string"}
        return {
            "short": {**text, "minLength": 1, "maxLength": self.dice.randint(10, 200)},
            "free": dict(text),
            "listed": {**text, "enum": [f"v{n}" for n in range(self.dice.randint(3, 6))]},
            "whole": {"type": "integer", "minimum": 0, "maximum": self.dice.randint(10, 99)},
            "number": {"type": "number", "exclusiveMinimum": 0},
            "flag": {"type": "boolean"},
            "formatted": {**text, "format": self.dice.choice(FORMATS)},
            "coded": {**text, "pattern": "^[a-z]{2,8}$"},
            "defaulted": {**text, "maxLength": 50, "default": "as before"},
        }[kind]
