"""Which web pages may call from a browser; without a list, none of another origin."""

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from service.chassis.contract.problems import CATALOGUE, problem

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
SENT = ("authorization", "content-type", "idempotency-key", "if-match", "if-none-match")
READ = ("etag", "location", "retry-after", "x-trace-id", "deprecation", "sunset", "link")


class KnownPages(CORSMiddleware):
    """No cookies: a page sends its token itself, so no foreign page can borrow a session."""

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        super().__init__(
            app,
            allow_origins=tuple(origins),
            allow_methods=METHODS,
            allow_headers=(*SENT, "traceparent"),
            expose_headers=READ,
            allow_credentials=False,
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        """A refusal is a problem like any other, and lists nothing of what would be allowed."""
        answer = super().preflight_response(request_headers)
        if answer.status_code < 400:
            return answer
        return problem(
            CATALOGUE["forbidden"],
            "Pages of this origin may not call like that.",
            headers={"vary": answer.headers["vary"]},
        )
