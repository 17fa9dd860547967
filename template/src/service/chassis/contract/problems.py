"""Every answer of 400 and above is an RFC 9457 problem from this one catalogue."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from service.chassis.errors import Invalid, ServiceError
from service.chassis.telemetry.logs import log_failure
from service.chassis.telemetry.tracing import current_trace_id

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Kind:
    code: str
    status: int
    title: str
    headers: tuple[tuple[str, str], ...] = ()


CATALOGUE = {
    kind.code: kind
    for kind in (
        Kind("malformed", 400, "The request could not be read."),
        Kind("unauthenticated", 401, "Please sign in.", headers=(("www-authenticate", "Bearer"),)),
        Kind("forbidden", 403, "You may not do this."),
        Kind("not-found", 404, "There is nothing here that you may see."),
        Kind("method-not-allowed", 405, "This address does not support that method."),
        Kind("conflict", 409, "The current state does not allow this."),
        Kind("stale", 412, "It has changed since you read it."),
        Kind("too-large", 413, "The request is larger than this service accepts."),
        Kind("unsupported-media-type", 415, "This kind of content is not accepted here."),
        Kind("invalid", 422, "Some fields need your attention."),
        Kind("precondition-required", 428, "Say which version you are changing."),
        Kind("internal", 500, "Something went wrong on our side."),
        Kind("unavailable", 503, "Please try again in a moment.", headers=(("retry-after", "1"),)),
    )
}
BY_STATUS = {kind.status: kind for kind in CATALOGUE.values()}


def problem(
    kind: Kind,
    detail: str | None = None,
    *,
    fields: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    body = {
        "type": f"urn:problem:{kind.code}",
        "title": kind.title,
        "status": kind.status,
        "code": kind.code,
        "detail": detail or kind.title,
        "trace_id": current_trace_id(),
    }
    if fields:
        body["fields"] = fields
    sent = {**dict(kind.headers), **(headers or {})}
    return JSONResponse(body, kind.status, media_type=MEDIA_TYPE, headers=sent)


async def from_service_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ServiceError)
    fields = None
    if isinstance(error, Invalid):
        fields = [{"field": error.field, "message": str(error)}]
    return problem(CATALOGUE[error.code], str(error), fields=fields)


async def from_framework(_request: Request, error: Exception) -> JSONResponse:
    """404 of unknown paths, 405, 415 and the like; the framework's own words stay inside."""
    assert isinstance(error, HTTPException)
    fallback = BY_STATUS[400] if error.status_code < 500 else BY_STATUS[500]
    return problem(BY_STATUS.get(error.status_code, fallback), headers=error.headers)


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
    log_failure("request_crashed", error)
    return problem(CATALOGUE["internal"])


HANDLERS: dict[int | type[Exception], Any] = {
    ServiceError: from_service_error,
    HTTPException: from_framework,
    RequestValidationError: from_validation,
    Exception: last_resort,
}
