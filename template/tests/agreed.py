"""Owned by the template: each answer that a test gets is one that the document allows."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import httpx2
import jsonschema_rs

Json = dict[str, Any]
PLACEHOLDER = re.compile(r"\\\{[^}]*\\\}")
# Of the server, before a route is known; it may come for any of them.
ANYWHERE = frozenset({"405", "413", "431"})
# What is answered there is up to `signed_in` in main.py.
UP_TO_THE_TEAM = "/v1/sign-in/callback/"


class Agreed:
    """What the document says of each route; what it does not know is left alone."""

    def __init__(self) -> None:
        self._document: Json = {"paths": {}}
        self._routes: list[tuple[re.Pattern[str], Json]] = []

    def learn(self, document: Json) -> None:
        self._document = document
        # Of two that match, the one with fewer placeholders is served.
        paths = sorted(document["paths"].items(), key=lambda each: each[0].count("{"))
        self._routes = [(_pattern(path), item) for path, item in paths]
        self._validator.cache_clear()

    def differences(self, response: httpx2.Response) -> Iterator[str]:
        """In what an answer is not what was agreed."""
        method, path = response.request.method, response.request.url.path
        operation = self._operation(method.lower(), path)
        status = str(response.status_code)
        if path.startswith(UP_TO_THE_TEAM) and response.is_success:
            return
        if operation is None or status in ANYWHERE - operation["responses"].keys():
            return
        said = operation["responses"].get(status)
        if said is None:
            yield f"{method} {path}: {status} is in no document"
            return
        content = self._resolved(said).get("content", {})
        media = response.headers.get("content-type", "").partition(";")[0]
        if not content and response.content:
            yield f"{method} {path} {status}: a body that is in no document"
        elif content and media not in content:
            yield f"{method} {path} {status}: {media or 'nothing'} is in no document"
        elif content and (media == "application/json" or media.endswith("+json")):
            yield from self._wrong(f"{method} {path} {status}", content[media], response)

    def _wrong(self, place: str, said: Json, response: httpx2.Response) -> Iterator[str]:
        reference = said.get("schema", {}).get("$ref")
        validator = self._validator(reference) if reference else self._made(said.get("schema", {}))
        for error in validator.iter_errors(response.json()):
            where = ".".join(map(str, error.instance_path))
            yield f"{place} {where}: {error.message[:200]}"

    def _operation(self, method: str, path: str) -> Json | None:
        matching = (item for pattern, item in self._routes if pattern.fullmatch(path))
        operation: Json | None = next((i[method] for i in matching if method in i), None)
        return operation

    def _resolved(self, answer: Json) -> Json:
        if "$ref" not in answer:
            return answer
        found: Json = self._document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
        return found

    @cache  # noqa: B019 - there is one, for as long as the tests run
    def _validator(self, reference: str) -> Any:
        return self._made({"$ref": reference})

    def _made(self, schema: Json) -> Any:
        whole = {**schema, "components": self._document["components"]}
        return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(PLACEHOLDER.sub("[^/]+", re.escape(path)))


AGREED = Agreed()
