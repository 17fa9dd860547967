"""What is let in: one meaning for every request, before any route sees it."""

import re
from collections.abc import AsyncGenerator, Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.chassis.contract.problems import problem_of
from service.chassis.contract.strict_json import refuse_unfit
from service.chassis.errors import Malformed, ServiceError, TooLarge, UnsupportedMedia
from service.chassis.sections import HttpSettings

PROBES = frozenset({"/livez", "/readyz", "/startupz"})
MAX_PARAMETERS = 100
ONCE = (
    b"authorization",
    b"content-encoding",
    b"content-length",
    b"content-type",
    b"host",
    b"idempotency-key",
    b"if-match",
    b"transfer-encoding",
)
# What a proxy and this service may decode differently: slashes, control characters, dot segments.
AMBIGUOUS_PATH = re.compile(rb"(?i)%(?:2f|5c|[01][0-9a-f]|7f)|/(?:\.|%2e){1,2}(?:/|$)|\\")
WORD = r"[A-Za-z0-9!#$&^_.+-]{1,80}"
MEDIA_TYPE = re.compile(rf'({WORD}/{WORD})((?:[ \t]*;[ \t]*{WORD}=(?:{WORD}|"[^"\\]*"))*)')
CHARSET = re.compile(r'(?i);[ \t]*charset="?([^";]*)')

Head = Mapping[bytes, bytes]


class Disconnected(Exception):
    """The caller left before its body had arrived; there is no one to answer."""


class Intake:
    """Refuses what two readers could read differently, and JSON that is out of bounds."""

    def __init__(self, app: ASGIApp, http: HttpSettings) -> None:
        self._app = app
        self._hosts = _names(http.allowed_hosts)
        self._max_body_bytes = http.max_body_bytes
        self._max_json_parts = http.max_json_parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        try:
            head = _head(scope)
            self._refuse_host(scope, head)
            if is_json(content_type(head)):
                receive = await self._checked(receive)
        except ServiceError as refusal:
            return await problem_of(refusal)(scope, receive, send)
        except Disconnected:
            return None
        return await self._app(scope, receive, send)

    def _refuse_host(self, scope: Scope, head: Head) -> None:
        if not self._hosts or scope["path"] in PROBES:
            return
        host = head.get(b"host", b"").decode("latin-1").lower()
        if re.sub(r":\d{1,5}$", "", host) not in self._hosts:
            raise Malformed("This host is not served here.")

    async def _checked(self, receive: Receive) -> Receive:
        body = b"".join([chunk async for chunk in self._chunks(receive)])
        refuse_unfit(body, self._max_json_parts)
        whole: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> Message:
            return whole.pop() if whole else await receive()

        return again

    async def _chunks(self, receive: Receive) -> AsyncGenerator[bytes]:
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            chunk: bytes = message.get("body", b"")
            size, more = size + len(chunk), message.get("more_body", False)
            if size > self._max_body_bytes:
                raise TooLarge(f"A body may hold {self._max_body_bytes} bytes.")
            yield chunk


def _names(allowed: str | None) -> frozenset[str]:
    """None of them means any of them."""
    return frozenset((allowed or "").lower().replace(",", " ").split()) - {"*"}


def _head(scope: Scope) -> Head:
    headers = scope["headers"]
    head: Head = dict(headers)
    if len(head) < len(headers):
        _refuse_repeated([name for name, _ in headers])
    # Old load balancers still probe in HTTP/1.0, which knows no host.
    if b"host" not in head and scope["http_version"] != "1.0":
        raise Malformed("The request names no host.")
    if AMBIGUOUS_PATH.search(scope.get("raw_path") or scope["path"].encode()):
        raise Malformed("The path can be read in more than one way; send it plainly.")
    query = scope["query_string"]
    if query and (query.count(b"&") >= MAX_PARAMETERS or b"%00" in query):
        raise Malformed(f"The query holds NUL, or more than {MAX_PARAMETERS} parameters.")
    if head.get(b"content-encoding", b"identity").lower() != b"identity":
        raise UnsupportedMedia("Send the body as it is, without a content encoding.")
    return head


def _refuse_repeated(names: list[bytes]) -> None:
    for name in ONCE:
        if names.count(name) > 1:
            raise Malformed(f"The header {name.decode()} is there more than once.")


def content_type(head: Head) -> str:
    """The media type without its parameters, "" if there is none; anything odd is refused."""
    sent = head.get(b"content-type", b"").decode("latin-1").strip()
    if sent in {"", "application/json"}:
        return sent
    if not (read := MEDIA_TYPE.fullmatch(sent)):
        raise UnsupportedMedia("The content type cannot be read.")
    media_type = read[1].lower()
    charsets = {name.strip().lower() for name in CHARSET.findall(read[2])}
    if is_json(media_type) and not charsets <= {"utf-8", "utf8"}:
        raise UnsupportedMedia("JSON is sent in UTF-8.")
    return media_type


def is_json(media_type: str) -> bool:
    kind, _, name = media_type.partition("/")
    return kind == "application" and (name == "json" or name.endswith("+json"))
