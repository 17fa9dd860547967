"""`Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header) on every unsafe route.

It costs a request without the header one look. With it, everything that the request does to
the database commits together with its answer, or not at all; a retry is told the same answer.
"""

import re
from collections.abc import Sequence
from hashlib import sha256

from fastapi import Request, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.chassis.application.idempotency import Attempt
from service.chassis.application.remembered import Answer
from service.chassis.application.tenancy import Transactions
from service.chassis.contract.problems import CATALOGUE, from_service_error, last_resort, problem
from service.chassis.errors import KeyRequired, Malformed, ServiceError
from service.chassis.identity import Caller
from service.chassis.intelligence.gateway import settle_first
from service.chassis.sections import HttpSettings

HEADER = b"idempotency-key"
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
MAX_STORED_BYTES = 65_536
STORED_HEADERS = frozenset(
    {
        *(b"content-type", b"content-encoding", b"content-language", b"content-disposition"),
        *(b"location", b"etag", b"last-modified", b"link", b"vary"),
    }
)
# A structured field's string, or what most clients send: the bare word.
QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])+)"')
BARE = re.compile(r"[!#-+\--:<-\[\]-~]+")
MAX_KEY = 255
KEY_PARAMETER = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same for every attempt at this request; it then takes effect once.",
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_KEY,
        "pattern": f"^(?:{QUOTED.pattern}|{BARE.pattern})$",
    },
}


class Replayed(Exception):
    """The guard found the answer of an earlier attempt; the route does not run."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer


async def show_again(_request: Request, replayed: Exception) -> Response:
    assert isinstance(replayed, Replayed)
    response = Response(replayed.answer.body, replayed.answer.status)
    for name, value in replayed.answer.headers:
        response.headers.append(name, value)
    response.headers["idempotent-replayed"] = "true"
    return response


async def key_required(request: Request) -> None:
    """A dependency: this route wants a key, and says so once it knows the caller."""
    state = request.scope["state"]
    state["key_required"] = True
    if "keyless" in state:
        raise KeyRequired("This route needs an Idempotency-Key, for instance a new UUID.")


async def unstored(request: Request) -> None:
    """A dependency: this route's answer holds a secret; a retry hears only that it was done."""
    if attempt := request.scope["state"].get("idempotency"):
        attempt.secret = True


async def transactions_for(request: Request, caller: Caller) -> Transactions:
    """Where the caller's transactions run: each by itself, or joined under the request's key."""
    state = request.scope["state"]
    attempt: Attempt | None = state.get("idempotency")
    if attempt is None:
        state["keyless"] = True
        if "key_required" in state:
            await key_required(request)
        each_by_itself: Transactions = state["database"]
        return each_by_itself
    if not attempt.begun:
        key = read_key(request.headers.getlist("idempotency-key"))
        route = f"{request.method} {_template(request)}"
        answer = await attempt.begin(state["database"], caller, route, key)
        if answer is not None:
            raise Replayed(answer)
    return attempt.work


def _template(request: Request) -> str:
    """The path with its parameters' names: the framework's route lacks the routers' prefixes."""
    names = {str(value).lower(): f"{{{name}}}" for name, value in request.path_params.items()}
    return "/".join(names.get(part.lower(), part) for part in request.scope["path"].split("/"))


def read_key(sent: Sequence[str]) -> str:
    value = sent[0].strip(" \t") if len(sent) == 1 else ""
    if quoted := QUOTED.fullmatch(value):
        value = re.sub(r"\\(.)", r"\1", quoted[1])
    elif not BARE.fullmatch(value):
        value = ""
    if not 0 < len(value) <= MAX_KEY:
        raise Malformed(f"Send one Idempotency-Key of 1 to {MAX_KEY} printable characters.")
    return value


class Idempotency:
    """Lets an attempt's answer leave only after its effect is committed."""

    def __init__(self, app: ASGIApp, settings: HttpSettings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("method") in UNSAFE and any(name == HEADER for name, _ in scope["headers"]):
            return await self._attempt(scope, receive, send)
        return await self._app(scope, receive, send)

    async def _attempt(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, again = await _read(receive, self._settings.max_body_bytes)
        if body is None:
            return await problem(CATALOGUE["too-large"])(scope, receive, send)
        attempt = Attempt(_fingerprint(scope, body), self._settings)
        scope.setdefault("state", {})["idempotency"] = attempt
        held = HeldAnswer(attempt, send)
        outer = settle_first.set(attempt.settle)
        try:
            await self._app(scope, again, held.send)
        except Exception:
            if held.refused is None or held.left:
                raise
            await (await _refusal(scope, held.refused))(scope, receive, send)
        finally:
            settle_first.reset(outer)
            await attempt.abandon()


class HeldAnswer:
    """The way back to the caller, kept shut until the attempt is finished."""

    def __init__(self, attempt: Attempt, send: Send) -> None:
        self.left = False
        self.refused: Exception | None = None
        self._attempt = attempt
        self._send = send
        self._held: list[Message] = []

    async def send(self, message: Message) -> None:
        self._held.append(message)
        if self._attempt.active:
            if self._is_incomplete(message):
                return
            await self._finish()
        held, self._held = self._held, []
        for ready in held:
            self.left = True
            await self._send(ready)

    def _is_incomplete(self, message: Message) -> bool:
        if message["type"] == "http.response.start":
            return _is_storable(message)
        return bool(message.get("more_body"))

    async def _finish(self) -> None:
        try:
            await self._attempt.finish(_answer(self._held))
        except Exception as error:
            self.refused = error
            raise


def _is_storable(start: Message) -> bool:
    """Known to be short before it begins; of a stream nobody knows."""
    headers = {name.lower(): value for name, value in start["headers"]}
    length = headers.get(b"content-length", b"0" if start["status"] == 204 else b"")
    streamed = headers.get(b"content-type", b"").startswith(b"text/event-stream")
    return not streamed and length.isdigit() and int(length) <= MAX_STORED_BYTES


def _answer(held: Sequence[Message]) -> Answer:
    start, *rest = held
    sent = [(name.lower(), value) for name, value in start["headers"]]
    kept = [[n.decode(), v.decode("latin-1")] for n, v in sent if n in STORED_HEADERS]
    body = b"".join(part.get("body", b"") for part in rest)
    # A cookie is a secret: without it the answer would be another one.
    showable = bool(rest) and all(name != b"set-cookie" for name, _ in sent)
    return Answer(start["status"], kept, body if showable else None)


async def _read(receive: Receive, most: int) -> tuple[bytes | None, Receive]:
    """The whole body, or None if it is too large; and how the application can read it again."""
    message, body = await receive(), bytearray()
    while message["type"] == "http.request":
        body += message.get("body", b"")
        if len(body) > most:
            return None, receive
        if not message.get("more_body"):
            break
        message = await receive()
    whole = {"type": "http.request", "body": bytes(body), "more_body": False}
    messages = [whole if message["type"] == "http.request" else message]

    async def again() -> Message:
        return messages.pop() if messages else await receive()

    return bytes(body), again


def _fingerprint(scope: Scope, body: bytes) -> bytes:
    """What makes two requests the same one; the order of a query's parameters does not."""
    content_type = next((v for n, v in scope["headers"] if n == b"content-type"), b"")
    query = b"&".join(sorted(scope["query_string"].split(b"&")))
    path = scope.get("raw_path") or scope["path"].encode()
    parts = (scope["method"].encode(), path, query, content_type, body)
    return sha256(b"".join(b"%d:%s" % (len(part), part) for part in parts)).digest()


async def _refusal(scope: Scope, error: Exception) -> Response:
    told = from_service_error if isinstance(error, ServiceError) else last_resort
    return await told(Request(scope), error)
