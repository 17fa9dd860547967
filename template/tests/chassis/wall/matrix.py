"""Every operation of the service, asked with ids of one's own, of a rival and of nobody."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

from chassis.wall.devices import added_passkey, asked_run
from chassis.wall.examples import Examples, Schema, Unknown, resolved
from httpx2 import Response

from callers import Client

CHANGING = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Reading these is an act that their next reading shows.
ON_RECORD = {"/v1/audit/export"}
TRACE = re.compile(r'"trace_id":"\w+"')
# The asker's own may be among them.
ENDS_SESSIONS = re.compile("/sessions/|/browser/|/sign-out|/disable")
# What is left of a limit goes down with every request, whatever it asks for.
MASKED_HEADERS = {"x-trace-id", "date", "ratelimit"}
# There is no side yet; tests/chassis/sign_in asks these with a rival's ids.
BEFORE_SIGN_IN = "/v1/sign-in/"
Ids = Mapping[str, str]


@dataclass(frozen=True)
class Operation:
    """One line of the OpenAPI document."""

    method: str
    path: str
    query: Mapping[str, Schema]
    required: frozenset[str]
    conditional: bool
    fields: Mapping[str, Schema]
    body: Schema | None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def ids(self) -> list[str]:
        """Where an id can be put: into the path, the query or the body."""
        elsewhere = {**self.query, **self.fields}
        return [*re.findall(r"{(\w+)}", self.path), *(n for n in elsewhere if is_id(elsewhere[n]))]


def is_id(schema: Schema) -> bool:
    return schema.get("format") == "uuid" or any(is_id(s) for s in schema.get("anyOf", ()))


def operations(document: Schema) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, spec in methods.items():
            parameters = spec.get("parameters", ())
            query = {p["name"]: p["schema"] for p in parameters if p["in"] == "query"}
            required = frozenset(p["name"] for p in parameters if p.get("required"))
            conditional = any(p["name"].lower() == "if-match" for p in parameters)
            content = spec.get("requestBody", {}).get("content", {})
            body = content.get("application/json", {}).get("schema")
            fields = resolved(document, body or {}).get("properties", {})
            yield Operation(method.upper(), path, query, required, conditional, fields, body)


@dataclass(frozen=True)
class Side:
    """A tenant in the matrix: its client, and the word that only its own answers may hold."""

    client: Client
    canary: str

    @classmethod
    def of(cls, client: Client) -> "Side":
        return cls(client, f"canary{uuid4().hex}")


class Matrix:
    def __init__(self, document: Schema) -> None:
        self.document = document
        found = operations(document)
        self.operations = [one for one in found if not one.path.startswith(BEFORE_SIGN_IN)]
        self.answers: list[tuple[Side, Response]] = []

    async def ask(self, side: Side, operation: Operation, ids: Ids) -> Response:
        examples = Examples(self.document, side.canary, ids)
        path = re.sub(r"{(\w+)}", lambda name: ids[name[1]], operation.path)
        asked = [name for name in operation.query if name in ids or name in operation.required]
        read = await side.client.get(path) if operation.conditional else None
        headers = {"if-match": read.headers.get("etag", '"1"')} if read else {}
        if "Idempotency-Key" in operation.required:
            headers["idempotency-key"] = str(uuid4())
        response = await side.client.request(
            operation.method,
            path,
            params={name: ids.get(name) or examples.of(operation.query[name]) for name in asked},
            headers=headers,
            json=examples.of(operation.body) if operation.body else None,
        )
        assert response.status_code < 500, f"{operation}: {response.text}"
        self.answers.append((side, response))
        if ENDS_SESSIONS.search(operation.path):
            await side.client.signed_in()
        return response

    async def own(self, side: Side, operation: Operation) -> dict[str, str]:
        """New rows of this side for all ids of the operation."""
        return {name: await self.made(side, operation, name) for name in operation.ids}

    async def made(self, side: Side, operation: Operation, name: str) -> str:
        if name == "session_id":
            spare = await side.client.me.sign_in()
            # The client goes on in another one, because the spare one may be ended.
            await side.client.me.sign_in()
            return str(spare.session_id)
        if name == "passkey_id":
            return await added_passkey(side.client.me, side.canary)
        if name == "run_id":
            return await asked_run(side.client.me, side.canary)
        creator = self._creator(operation, name)
        response = await self.ask(side, creator, await self.own(side, creator))
        if not response.is_success or "id" not in response.json():
            raise Unknown(f"{creator} refuses a made-up body; add examples=[…]: {response.text}")
        return str(response.json()["id"])

    def _creator(self, operation: Operation, name: str) -> Operation:
        """POST on the collection: what stands before the id, or what the id is called after."""
        before, in_path, _ = operation.path.partition(f"/{{{name}}}")
        noun = name.removesuffix("_id")
        collection = re.escape(before) if in_path else rf".*/{noun}(s|es)?"
        for creator in self.operations:
            if creator.method == "POST" and re.fullmatch(collection, creator.path):
                return creator
        raise Unknown(
            f"no canary for {name} of {operation}: add a POST that creates what it names, at "
            f"{before if in_path else f'…/{noun}s'}, and let its answer hold the id"
        )

    async def state(self, side: Side, ids: Ids) -> list[tuple[str, str]]:
        """What the side sees under these ids and in all of its lists."""
        seen = []
        for reading in self.operations:
            if reading.path in ON_RECORD:
                continue
            inner = {*re.findall(r"{(\w+)}", reading.path)}
            if reading.method == "GET" and inner <= set(ids) and not reading.required - inner:
                path = re.sub(r"{(\w+)}", lambda name: ids[name[1]], reading.path)
                seen.append((path, TRACE.sub("", (await side.client.get(path)).text)))
        return seen


def shape(response: Response) -> tuple[int, Mapping[str, str], str]:
    """What remains of an answer when ids and the trace are masked."""
    headers = {k: v for k, v in response.headers.items() if k not in MASKED_HEADERS}
    return response.status_code, headers, CHANGING.sub("?", response.text)


def leaked(answers: Iterable[tuple[Side, Response]], sides: Sequence[Side]) -> list[str]:
    """The answers to one side that hold the word of another, in whatever place."""
    return [
        f"{response.request.method} {response.request.url.path} {response.text}"
        for asker, response in answers
        for other in sides
        if other != asker and other.canary in f"{response.headers!r} {response.text}"
    ]
