"""Which requests a cookie may speak for: those that our own pages made."""

from urllib.parse import urlsplit

from fastapi import Request

from service.chassis.errors import Forbidden

ACCESS, REFRESH = "__Host-access", "__Host-refresh"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def credential_in_cookie(request: Request) -> str | None:
    credential = request.cookies.get(ACCESS)
    if credential is not None and request.method not in SAFE:
        refuse_cross_site(request)
    return credential


def refuse_cross_site(request: Request) -> None:
    """By what the browser itself says; no page can change these headers."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None:
        own = site == "same-origin"
    else:
        own = origin is not None and urlsplit(origin).netloc == request.headers.get("host")
    if not own:
        raise Forbidden("With a cookie, this can be asked only from the service's own pages.")
