"""What a client may do to the socket: send a head of bounded size, and all of it in time."""

import sys
from asyncio import TimerHandle, Transport
from typing import Any

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.chassis.contract.envelope import Envelope, completed
from service.chassis.contract.problems import CATALOGUE, problem
from service.chassis.telemetry.tracing import begin_trace

MAX_HEAD_BYTES = 65_536
REQUEST_SECONDS = 30.0


async def refuse_crowd(scope: Scope, receive: Receive, send: Send) -> None:
    await problem(CATALOGUE["unavailable"], "Too many connections.")(scope, receive, send)


CROWDED = Envelope(refuse_crowd, max_body_bytes=sys.maxsize)


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn bounds neither the head of a request nor the time that it takes to arrive."""

    request_seconds = REQUEST_SECONDS
    _head_bytes = 0
    _deadline: TimerHandle | None = None

    def __init__(self, *uvicorns: Any, **own: Any) -> None:
        super().__init__(*uvicorns, **own)
        # uvicorn's own refusal is plain text; ours is a problem like any other.
        self._served, self._limit, self.limit_concurrency = self.app, self.limit_concurrency, None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._arm()
        # Beyond twice the limit nobody is even told.
        if self._crowded(times=2):
            self.transport.close()

    def on_headers_complete(self) -> None:
        self.app = CROWDED if self._crowded() else self._served
        super().on_headers_complete()

    def _crowded(self, times: int = 1) -> bool:
        busy = max(len(self.connections), len(self.tasks))
        return self._limit is not None and busy > self._limit * times

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._head_bytes += len(data)
        super().data_received(data)
        if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("The request's head is too large.")

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP gets a problem, too; uvicorn's own words are plain text."""
        trace_id = begin_trace("")
        refusal = problem(CATALOGUE["malformed"], msg)
        given = [*self.server_state.default_headers, *refusal.raw_headers]
        headers = [*completed(given, trace_id), (b"connection", b"close")]
        head = b"".join(b"%s: %s\r\n" % header for header in headers)
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n%s\r\n%s" % (head, refusal.body))
        self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._arm()

    def on_body(self, body: bytes) -> None:
        self._head_bytes -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._head_bytes = 0
        self._disarm()
        super().on_message_complete()

    def _arm(self) -> None:
        self._disarm()
        self._deadline = self.loop.call_later(self.request_seconds, self.transport.close)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
