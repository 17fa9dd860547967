"""Every answer of 400 and above is an RFC 9457 problem from this one catalogue."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException

from service.chassis.contract.words import of_problem, spoken
from service.chassis.errors import Invalid, ServiceError, TooManyRequests, Unavailable
from service.chassis.identity import FRESH_SECONDS
from service.chassis.telemetry.logs import log_failure
from service.chassis.telemetry.tracing import current_trace_id

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Kind:
    """What people read of it is in languages/; what an operator does, in its runbook."""

    code: str
    status: int
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def runbook(self) -> str:
        return f"docs/problems.md#{self.code}"


# RFC 9470: the client learns that a new sign-in, and no new token, is what helps.
CHALLENGE = 'Bearer error="insufficient_user_authentication", max_age={age}'
STEP_UP = (("www-authenticate", CHALLENGE.format(age=FRESH_SECONDS)),)

CATALOGUE = {
    kind.code: kind
    for kind in (
        Kind("malformed", 400),
        Kind("unauthenticated", 401, (("www-authenticate", "Bearer"),)),
        Kind("sign-in-again", 401, STEP_UP),
        Kind("forbidden", 403),
        Kind("not-found", 404),
        Kind("method-not-allowed", 405),
        Kind("conflict", 409),
        Kind("stale", 412),
        Kind("too-large", 413),
        Kind("unsupported-media-type", 415),
        Kind("invalid", 422),
        Kind("precondition-required", 428),
        Kind("key-required", 400),
        Kind("key-reused", 422),
        Kind("in-progress", 409, (("retry-after", "1"),)),
        Kind("run-cancelled", 409),
        Kind("unrepeatable", 409),
        Kind("too-many-keys", 429, (("retry-after", "3600"),)),
        Kind("signature-refused", 401, (("www-authenticate", "Webhook-Signature"),)),
        Kind("address-refused", 422),
        Kind("address-unreachable", 422),
        Kind("too-many-requests", 429, (("retry-after", "1"),)),
        Kind("sign-in-failed", 400),
        Kind("second-factor-required", 401, (("www-authenticate", "Bearer"),)),
        Kind("internal", 500),
        Kind("unavailable", 503, (("retry-after", "1"),)),
    )
}
# The first of a status is the general one, which the framework's own refusals become.
BY_STATUS = {kind.status: kind for kind in reversed(CATALOGUE.values())}


def problem_body(kind: Kind, detail: str | None = None) -> dict[str, Any]:
    """The same in an answer and inside a stream."""
    said = of_problem(kind.code)
    return {
        "type": f"urn:problem:{kind.code}",
        "title": said.title,
        "status": kind.status,
        "code": kind.code,
        "message": said.message,
        "detail": detail or said.title,
        "trace_id": current_trace_id(),
    }


def problem(
    kind: Kind,
    detail: str | None = None,
    *,
    fields: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    body = problem_body(kind, detail)
    if fields:
        body["fields"] = fields
    sent = {"content-language": spoken(), **dict(kind.headers), **(headers or {})}
    return JSONResponse(body, kind.status, media_type=MEDIA_TYPE, headers=sent)


def problem_of(error: ServiceError) -> JSONResponse:
    fields, headers = None, {}
    if isinstance(error, Invalid):
        fields = [{"field": error.field, "message": str(error)}]
    if isinstance(error, TooManyRequests | Unavailable):
        headers = {"retry-after": str(error.retry_after)}
    return problem(CATALOGUE[error.code], str(error), fields=fields, headers=headers)


async def from_service_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ServiceError)
    return problem_of(error)


async def from_framework(request: Request, error: Exception) -> JSONResponse:
    """404 of unknown paths, 405, 415 and the like; the framework's own words stay inside."""
    assert isinstance(error, HTTPException)
    fallback = BY_STATUS[400] if error.status_code < 500 else BY_STATUS[500]
    headers = _allowed(request) if error.status_code == 405 else error.headers
    return problem(BY_STATUS.get(error.status_code, fallback), headers=headers)


def _allowed(request: Request) -> dict[str, str]:
    """Of all routes at this address; the framework names those of the first one it finds."""
    path = request.scope["path"]
    at_path = (
        context.methods or ()
        for context in iter_route_contexts(request.app.routes)
        if context.path_regex.match(path)
    )
    return {"allow": ", ".join(sorted({method for methods in at_path for method in methods}))}


async def from_validation(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    if any(found["type"] == "json_invalid" for found in error.errors()):
        return problem(CATALOGUE["malformed"], "The body is not valid JSON.")
    fields = [
        {"field": ".".join(str(part)[:100] for part in found["loc"]), "message": _safe(found)}
        for found in error.errors()[:50]
    ]
    return problem(CATALOGUE["invalid"], fields=fields)


def _safe(found: Mapping[str, str]) -> str:
    """Parser messages quote what was sent, after a comma; a secret may be in it."""
    message = found["msg"].removeprefix("Value error, ")
    return message.split(",")[0] if "parsing" in found["type"] else message


async def last_resort(_request: Request, error: Exception) -> JSONResponse:
    kind = CATALOGUE["internal"]
    log_failure("request_crashed", error, trace_id=current_trace_id(), runbook=kind.runbook)
    return problem(kind)


HANDLERS: dict[int | type[Exception], Any] = {
    ServiceError: from_service_error,
    HTTPException: from_framework,
    RequestValidationError: from_validation,
    Exception: last_resort,
}
