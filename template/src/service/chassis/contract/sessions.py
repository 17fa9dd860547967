"""Keeping, listing and ending sessions."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import Field

from service.chassis.application import session_control
from service.chassis.application.sessions import Granted, Sessions
from service.chassis.application.tenancy import Tenancy
from service.chassis.contract.access_tokens import AccessTokens
from service.chassis.contract.guards import address_of, allow, public
from service.chassis.contract.shapes import Accepted, Shown, StorableText
from service.chassis.identity import Action

CanUse = Annotated[Tenancy, allow("sessions", Action.READ)]
CanAdminister = Annotated[Tenancy, allow("sessions", Action.ADMINISTER)]

router = APIRouter(tags=["sessions"])


class RefreshRequest(Accepted):
    refresh_token: Annotated[
        StorableText, Field(min_length=1, max_length=200, examples=["what the sign-in gave"])
    ]


class Tokens(Shown):
    """As RFC 6749 names them."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105
    expires_in: int
    refresh_token: str


class SessionView(Shown):
    id: UUID
    methods: str
    address: str
    created_at: datetime
    refreshed_at: datetime
    expires_at: datetime


def tokens_of(request: Request, granted: Granted) -> Tokens:
    tokens: AccessTokens = request.state.access_tokens
    return Tokens(
        access_token=tokens.sign(granted),
        expires_in=tokens.lifetime,
        refresh_token=granted.refresh_token,
    )


@router.post("/sessions/refresh", dependencies=[public("the refresh token is the credential")])
async def refresh(request: Request, sent: RefreshRequest) -> Tokens:
    """Each refresh token is good once; keep the new one of the answer."""
    sessions: Sessions = request.state.sessions
    granted = await sessions.refresh(sent.refresh_token, address_of(request))
    return tokens_of(request, granted)


@router.get("/sessions")
async def list_sessions(tenancy: CanUse) -> list[SessionView]:
    """One's own that live."""
    found = await session_control.list_own_sessions(tenancy)
    return [SessionView.model_validate(row) for row in found]


# `:uuid`, because `/sessions/end-all` is the address of something else.
@router.delete("/sessions/{session_id:uuid}", status_code=204)
async def end_session(tenancy: CanUse, session_id: UUID) -> None:
    """One's own, another than the present with a fresh sign-in; an administrator ends anybody's."""
    await session_control.end_session(tenancy, session_id)


@router.post("/sessions/end-all", status_code=204)
async def end_all_sessions(tenancy: CanAdminister) -> None:
    """Sign everybody in the tenant out, oneself too."""
    await session_control.end_all_sessions(tenancy)


@router.post("/members/{member_id}/sign-out", status_code=204)
async def sign_member_out(tenancy: CanAdminister, member_id: UUID) -> None:
    """End all sessions of one member."""
    await session_control.end_sessions_of_member(tenancy, member_id)
