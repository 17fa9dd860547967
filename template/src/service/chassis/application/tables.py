"""What a mapped class inherits."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy
from sqlalchemy import BigInteger, DateTime, ForeignKey, MetaData, Text, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from service.chassis.identity import TenantId

NAMES = {
    "pk": "%(table_name)s_pkey",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ck": "%(table_name)s_%(constraint_name)s_check",
}


class Table(DeclarativeBase):
    """Base of every mapped class."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {datetime: DateTime(timezone=True), int: BigInteger, str: Text}


class Tenant(Table):
    __tablename__ = "tenants"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    plan: Mapped[str] = mapped_column(server_default="standard")
    suspended_at: Mapped[datetime | None]


# Behind the wall: finds the tenant itself, unless it is suspended or none.
OPEN_TENANT = select(Tenant.id).where(Tenant.suspended_at.is_(None))


def table_of(mapped: type[Table]) -> sqlalchemy.Table:
    """The table behind a mapped class, for statements whose rows need not become objects."""
    table = mapped.__table__
    assert isinstance(table, sqlalchemy.Table)
    return table


class TenantOwned:
    """A row that belongs to one tenant: the database stamps it, and filters every read.

    Every primary key, unique index and foreign key starts with `tenant_id`; the migration
    calls `wall.enclose('<table>')`. `tests/chassis/wall` names the table that does not.
    """

    tenant_id: Mapped[TenantId] = mapped_column(
        ForeignKey("tenants.id"),
        primary_key=True,
        server_default=text("wall.tenant()"),
        sort_order=-2,
    )
    id: Mapped[UUID] = mapped_column(
        primary_key=True, server_default=text("gen_random_uuid()"), sort_order=-1
    )


def shared_by_all_tenants(reason: str) -> dict[str, Any]:
    """`__table_args__` of a table that is global on purpose; its migration calls `wall.share`."""
    return {"comment": f"global: {reason}"}
