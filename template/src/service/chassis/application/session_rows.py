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
# Both rows are locked, so that both are read again after waiting for somebody else's refresh.
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
    )
    .join(SESSIONS, session_.id == token_.session_id)
    .join(member, member.c.id == session_.member_id)
    .join(TENANTS, true())
    .where(token_.id == bindparam("token"))
    .with_for_update(of=[TOKENS, SESSIONS])
)
SPEND = (
    update(TOKENS)
    .where(token_.id == bindparam("token"), token_.used_at.is_(None))
    .values(used_at=func.clock_timestamp(), child_id=bindparam("child"))
)
REFRESHED = update(SESSIONS).where(session_.id == bindparam("session"))
REFRESHED = REFRESHED.values(refreshed_at=func.now())
UNUSED = select(token_.used_at.is_(None)).where(token_.id == bindparam("token"))
END = (
    update(SESSIONS)
    .where(session_.ended_at.is_(None))
    .values(ended_at=func.now(), ended_because=bindparam("because"))
    .returning(session_.id)
)
END_ONE = END.where(session_.id == bindparam("session"))
END_OF_MEMBER = END.where(session_.member_id == bindparam("member"))

Presented = Row[*tuple[Any, ...]]
