"""Browser mode: the tokens live in cookies that no script can read.

A cookie comes along with requests that another site made the browser send. So a cookie counts for
an unsafe method only if the browser says that the page is our own.
"""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from service.chassis.application import session_control
from service.chassis.application.sessions import Granted, Sessions
from service.chassis.application.tenancy import Tenancy
from service.chassis.contract.access_tokens import AccessTokens
from service.chassis.contract.guards import address_of, allow, public
from service.chassis.contract.same_origin import ACCESS, REFRESH, refuse_cross_site
from service.chassis.errors import Unauthenticated
from service.chassis.identity import Action

CanUse = Annotated[Tenancy, allow("sessions", Action.READ)]

router = APIRouter(prefix="/browser", tags=["sessions"])


def show_in_cookies(request: Request, response: Response, granted: Granted) -> None:
    tokens: AccessTokens = request.state.access_tokens
    sessions: Sessions = request.state.sessions
    _set(response, ACCESS, tokens.sign(granted), tokens.lifetime)
    _set(response, REFRESH, granted.refresh_token, sessions.idle_seconds)


def _set(response: Response, name: str, value: str, seconds: int) -> None:
    # Strict, Secure and bound to this host by its name: no sibling domain can plant one.
    response.set_cookie(
        name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="strict"
    )


@router.post(
    "/refresh",
    status_code=204,
    dependencies=[public("the cookie with the refresh token is the credential")],
)
async def refresh(request: Request, response: Response) -> None:
    """New cookies for old ones."""
    refuse_cross_site(request)
    sent = request.cookies.get(REFRESH)
    if sent is None:
        raise Unauthenticated("There is no session to refresh; sign in.")
    sessions: Sessions = request.state.sessions
    show_in_cookies(request, response, await sessions.refresh(sent, address_of(request)))


@router.post("/sign-out", status_code=204)
async def sign_out(tenancy: CanUse, response: Response) -> None:
    """Ends the session that asks, and takes its cookies away."""
    if tenancy.caller.session_id is not None:
        await session_control.end_session(tenancy, tenancy.caller.session_id)
    # What this service's pages kept in the browser; the cookies of siblings stay.
    response.headers["clear-site-data"] = '"cache", "storage"'
    for name in (ACCESS, REFRESH):
        response.delete_cookie(name, path="/", secure=True, httponly=True, samesite="strict")
