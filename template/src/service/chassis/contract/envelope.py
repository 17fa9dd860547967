"""What surrounds every answer: a trace id, security headers, a log line."""

import time
from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.chassis.contract.problems import CATALOGUE, problem
from service.chassis.contract.words import begin_language
from service.chassis.telemetry.logs import log
from service.chassis.telemetry.tracing import begin_trace

Headers = list[tuple[bytes, bytes]]
# Each that has no default is named.
POLICY = (
    b"default-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; "
    b"frame-ancestors 'none'"
)
# What OWASP asks of an API, and that a browser may do nothing with an answer but read it.
SECURITY: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", POLICY),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-embedder-policy", b"require-corp"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-permitted-cross-domain-policies", b"none"),
    (b"strict-transport-security", b"max-age=31536000; includeSubDomains"),
    (b"cache-control", b"no-store"),
]
# What we are made of is nobody's business; the trace id is ours alone to say.
UNSAID = frozenset({b"server", b"x-powered-by", b"x-trace-id"})
QUIET = frozenset({"/livez", "/readyz", "/startupz"})


class Envelope:
    """The outermost layer, so that no answer leaves without it: not a 413, not the last 500."""

    def __init__(self, app: ASGIApp, max_body_bytes: int) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        trace_id = begin_trace(_header(scope, b"traceparent"))
        begin_language(_header(scope, b"accept-language"))
        began, status = time.perf_counter(), 0

        async def send_enveloped(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = completed(message.get("headers", ()), trace_id)
            await send(message)

        try:
            await self._serve(scope, receive, send_enveloped)
        finally:
            if scope["path"] not in QUIET:
                _log_request(scope, status, trace_id, began)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        length = _header(scope, b"content-length")
        # Python refuses to read a number of thousands of digits; zeros in front are legal.
        if length.isdecimal() and int(length.lstrip("0")[:20] or 0) > self._max_body_bytes:
            return await problem(CATALOGUE["too-large"])(scope, receive, send)
        return await self._app(scope, receive, send)


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def completed(headers: Iterable[tuple[bytes, bytes]], trace_id: str) -> Headers:
    given = [pair for pair in headers if pair[0].lower() not in UNSAID]
    names = {name.lower() for name, _ in given}
    added = [pair for pair in SECURITY if pair[0] not in names]
    return [*given, *added, (b"x-trace-id", trace_id.encode())]


def _log_request(scope: Scope, status: int, trace_id: str, began: float) -> None:
    route = scope.get("route")
    log(
        "request_served",
        method=scope["method"],
        route=getattr(route, "path", None),
        status=status,
        ms=round((time.perf_counter() - began) * 1000, 1),
        trace_id=trace_id,
    )
