"""`make token`: a short-lived development token for a tenant and a role."""

from uuid import UUID

from dev.laptop import NotRunning, running_service
from service.chassis.contract.sign_in import sign_development_token
from service.chassis.identity import Caller, Role, TenantId


def token_for(key: str, tenant_id: str, role: str) -> str:
    caller = Caller(f"dev-{role}", TenantId(UUID(tenant_id)), Role(role))
    return sign_development_token(key, caller)


def token(tenant: str, role: str) -> None:
    running = running_service()
    if tenant not in running["tenants"]:
        known = ", ".join(sorted(running["tenants"]))
        raise NotRunning(f"There is no tenant {tenant!r}; there are: {known}")
    if role not in [known.value for known in Role]:
        raise NotRunning(f"There is no role {role!r}; there are: {', '.join(Role)}")
    key = running["environment"]["IDENTITY_DEVELOPMENT_KEY"]
    print(token_for(key, running["tenants"][tenant], role))
