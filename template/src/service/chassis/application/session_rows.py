"""What the database holds of sessions, and every statement about them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Row,
    bindparam,
    column,
    func,
    insert,
    select,
    table,
    text,
    true,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from service.chassis.application.tables import Table, Tenant, TenantOwned, table_of


class SignInSession(TenantOwned, Table):
    __tablename__ = "sessions"
    __table_args__ = (
        Index(None, "tenant_id", "member_id"),
        ForeignKeyConstraint(
            ["tenant_id", "member_id"], ["members.tenant_id", "members.id"], ondelete="CASCADE"
        ),
    )

    member_id: Mapped[UUID]
    methods: Mapped[str]
    address: Mapped[str]
    authenticated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    refreshed_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_because: Mapped[str | None]


class RefreshToken(TenantOwned, Table):
    __tablename__ = "refresh_tokens"
    __table_args__ = (
        Index(None, "tenant_id", "session_id"),
        ForeignKeyConstraint(
            ["tenant_id", "session_id"], ["sessions.tenant_id", "sessions.id"], ondelete="CASCADE"
        ),
    )

    session_id: Mapped[UUID]
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    child_id: Mapped[UUID | None]


SESSIONS, TOKENS = table_of(SignInSession), table_of(RefreshToken)
TENANTS = table_of(Tenant)
session_, token_, tenant = SESSIONS.c, TOKENS.c, TENANTS.c
# By name: the module that maps it needs this one.
member = table("members", column("id"), column("state"))
OPEN = insert(SESSIONS).returning(session_.id, session_.authenticated_at, session_.expires_at)
KEEP = insert(TOKENS)
SUCCESSOR = TOKENS.alias("successor")
# Nothing is locked: whoever only knows a token's id holds nobody up, and most of fifty at once
# find that one of them has been served.
PRESENTED = (
    select(
        token_.id,
        token_.secret_hash,
        token_.child_id,
        token_.session_id,
        session_.member_id,
        session_.authenticated_at,
        session_.expires_at,
        (
            (session_.ended_at.is_(None))
            & (session_.expires_at > func.now())
            & (member.c.state == "active")
            & (tenant.suspended_at.is_(None))
        ).label("lives"),
        (token_.expires_at > func.now()).label("fresh"),
        (func.clock_timestamp() - token_.used_at).label("used_for"),
        SUCCESSOR.c.used_at.is_(None).label("child_unused"),
    )
    .join(SESSIONS, session_.id == token_.session_id)
    .join(member, member.c.id == session_.member_id)
    .join(TENANTS, true())
    .join(SUCCESSOR, SUCCESSOR.c.id == token_.child_id, isouter=True)
    .where(token_.id == bindparam("token"))
)
# Of those who found it unused, one spends it; the others wait for that one, and are told so.
SPEND = (
    update(TOKENS)
    .where(token_.id == bindparam("token"), token_.used_at.is_(None))
    .values(used_at=func.clock_timestamp(), child_id=bindparam("child"))
    .returning(token_.id)
)
# Waits for whoever ends the session at this moment, and does not open it again.
REFRESHED = (
    update(SESSIONS)
    .where(session_.id == bindparam("session"), session_.ended_at.is_(None))
    .values(refreshed_at=func.now())
    .returning(session_.id)
)
END = (
    update(SESSIONS)
    .where(session_.ended_at.is_(None))
    .values(ended_at=func.now(), ended_because=bindparam("because"))
    .returning(session_.id)
)
END_ONE = END.where(session_.id == bindparam("session"))
END_OF_MEMBER = END.where(session_.member_id == bindparam("member"))

Presented = Row[*tuple[Any, ...]]
