"""Keys for machines: named, scoped, expiring; shown once and stored as a hash."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    ForeignKeyConstraint,
    Interval,
    LargeBinary,
    Row,
    Text,
    bindparam,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from service.chassis.application.audit import Actor, record
from service.chassis.application.tables import Table, TenantOwned, table_of
from service.chassis.application.tenancy import Tenancy
from service.chassis.errors import NotFound
from service.chassis.identity import Action, Permission, Role

ADMINISTER_KEYS = Permission("api-keys", Action.ADMINISTER)
# The old key works on while the new one is rolled out.
OVERLAP = timedelta(hours=24)


class ApiKey(TenantOwned, Table):
    __tablename__ = "api_keys"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "created_by"], ["members.tenant_id", "members.id"]),
        CheckConstraint("role IN ('viewer', 'editor')", name="role"),
    )

    name: Mapped[str]
    role: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary)
    created_by: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


KEYS = table_of(ApiKey)
key_ = KEYS.c
SHOWN = (
    key_.id,
    key_.name,
    key_.role,
    key_.scopes,
    key_.created_at,
    key_.expires_at,
    key_.used_at,
)
LIST = select(*SHOWN).order_by(key_.created_at.desc(), key_.id).limit(200)
CREATE = insert(KEYS).returning(*SHOWN)
LIVE = (
    select(*SHOWN)
    .where(key_.id == bindparam("key"), key_.expires_at > func.now())
    .with_for_update()
)
EXPIRE = (
    update(KEYS)
    .where(key_.id == bindparam("key"))
    .values(expires_at=func.least(key_.expires_at, func.now() + bindparam("left", type_=Interval)))
    .returning(*SHOWN)
)

KeyRow = Row[*tuple[Any, ...]]


async def list_keys(tenancy: Tenancy) -> Sequence[KeyRow]:
    async with tenancy.transaction(ADMINISTER_KEYS) as session:
        return (await session.execute(LIST)).all()


async def create_key(
    tenancy: Tenancy, name: str, role: Role, scopes: Sequence[str], lifetime: timedelta
) -> tuple[KeyRow, str]:
    """The row, and the key itself: it cannot be shown again."""
    values = {"name": name, "role": role.value, "scopes": list(scopes)}
    async with tenancy.transaction(ADMINISTER_KEYS) as session:
        return await _created(tenancy, session, values, lifetime)


async def rotate_key(tenancy: Tenancy, key_id: UUID) -> tuple[KeyRow, str]:
    """A new key like the old one, which ends a day later."""
    async with tenancy.transaction(ADMINISTER_KEYS) as session:
        old = (await session.execute(LIVE, {"key": key_id})).one_or_none()
        if old is None:
            raise NotFound("There is no such key, or it has expired.")
        await session.execute(EXPIRE, {"key": key_id, "left": OVERLAP})
        await record(session, Actor.of(tenancy), "api_key.rotated", key_id, old.name)
        values = {"name": old.name, "role": old.role, "scopes": old.scopes}
        return await _created(tenancy, session, values, old.expires_at - old.created_at)


async def revoke_key(tenancy: Tenancy, key_id: UUID) -> None:
    async with tenancy.transaction(ADMINISTER_KEYS) as session:
        values = {"key": key_id, "left": timedelta()}
        if (await session.execute(EXPIRE, values)).one_or_none() is None:
            raise NotFound("There is no such key.")
        await record(session, Actor.of(tenancy), "api_key.revoked", key_id)


async def _created(
    tenancy: Tenancy, session: AsyncSession, values: dict[str, Any], lifetime: timedelta
) -> tuple[KeyRow, str]:
    key_id, secret = uuid4(), secrets.token_urlsafe(32)
    proof = {"id": key_id, "secret_hash": sha256(secret.encode()).digest()}
    origin = {"created_by": tenancy.caller.member_id, "expires_at": func.now() + lifetime}
    created = (await session.execute(CREATE.values(values | proof | origin))).one()
    await record(session, Actor.of(tenancy), "api_key.created", key_id, values["name"])
    return created, f"sk_{tenancy.caller.tenant_id.hex}_{key_id.hex}_{secret}"
