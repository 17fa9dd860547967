"""`make token`: a short-lived token for a tenant and a role, of a member who signs in here."""

import asyncio
import os
from collections.abc import Mapping
from uuid import UUID

from dev.laptop import NotRunning, running_service
from dev.people import signed_in
from service.chassis.application.capability import CapabilityKey
from service.chassis.application.database import Database
from service.chassis.application.sessions import Sessions
from service.chassis.contract.access_tokens import AccessTokens
from service.chassis.identity import Role, TenantId
from service.chassis.settings import load_settings


def token_for(environment: Mapping[str, str], tenant_id: str, role: str) -> str:
    os.environ.update(environment)
    return asyncio.run(_token(TenantId(UUID(tenant_id)), Role(role)))


async def _token(tenant_id: TenantId, role: Role) -> str:
    settings = load_settings()
    database = Database(settings.database, CapabilityKey.of(settings.tenancy))
    sessions = Sessions(database, settings.identity)
    try:
        address = f"{role}@example.org"
        granted = await signed_in(database, sessions, tenant_id, address, role)
    finally:
        await database.engine.dispose()
    return AccessTokens(settings.identity).sign(granted)


def token(tenant: str, role: str) -> None:
    running = running_service()
    if tenant not in running["tenants"]:
        known = ", ".join(sorted(running["tenants"]))
        raise NotRunning(f"There is no tenant {tenant!r}; there are: {known}")
    if role not in [known.value for known in Role]:
        raise NotRunning(f"There is no role {role!r}; there are: {', '.join(Role)}")
    print(token_for(running["environment"], running["tenants"][tenant], role))
