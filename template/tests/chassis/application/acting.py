"""Use cases called past every route, as a given role."""

import time
from dataclasses import replace
from typing import Any

from sqlalchemy import text

from callers import Person
from service.chassis.app import Service
from service.chassis.application.tenancy import Tenancy
from service.chassis.identity import Caller, Role, TenantId


async def tenancy_of(app: Service, tenant: TenantId, role: Role, **changes: Any) -> Tenancy:
    """A member who just signed in, with whatever is changed about the caller."""
    granted = await Person(app, tenant, role).sign_in()
    caller = Caller(
        str(granted.member_id),
        tenant,
        role,
        session_id=granted.session_id,
        authenticated_at=time.time(),
    )
    given = app.state.given
    caller = replace(caller, **changes)
    return Tenancy(caller, given["intelligence"], given["database"], "192.0.2.1")


async def rows(app: Service, tenant: TenantId, sql: str, **values: Any) -> list[tuple[Any, ...]]:
    async with app.state.given["database"].transaction(tenant) as session:
        found = await session.execute(text(sql), values)
        return [tuple(row) for row in found] if found.returns_rows else []
