"""The trace id that joins a request, its log lines and its problem details."""

import re
import secrets
from contextvars import ContextVar

TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_trace_id: ContextVar[str] = ContextVar("trace_id", default="")


def begin_trace(traceparent: str) -> str:
    """Continues the caller's W3C trace, or starts one; set anew for every request."""
    sent = TRACEPARENT.fullmatch(traceparent)
    trace_id = sent[1] if sent and int(sent[1], 16) else secrets.token_hex(16)
    _trace_id.set(trace_id)
    return trace_id


def current_trace_id() -> str:
    return _trace_id.get()
