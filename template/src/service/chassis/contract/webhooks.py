"""Routes that others call with a signature in place of a token, and calls to addresses of users."""

import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request

from service.chassis.application.outbound import Outbound
from service.chassis.application.outgoing import Outgoing
from service.chassis.application.tenancy import Tenancy
from service.chassis.application.webhooks import Delivery, SigningSecrets, is_open
from service.chassis.contract.guards import Public, declaring
from service.chassis.errors import SignatureRefused
from service.chassis.identity import Caller, Role, TenantId

SecretsOf = Callable[[Tenancy], Awaitable[SigningSecrets | None]]
# Nobody holds it: who is unknown here, or suspended, is refused by the same steps as who cannot
# sign.
NOBODYS = SigningSecrets((secrets.token_bytes(32),))


@dataclass(frozen=True)
class Signed(Public):
    """Open to strangers who prove that they hold the secret."""


def signed_webhook(
    source: str, secrets_of: SecretsOf, *, reason: str, role: Role = Role.EDITOR
) -> Any:
    """For a route with `{tenant_id}` in its path: a `Delivery` that the tenant's secret signed."""

    async def delivery(request: Request) -> Delivery:
        tenancy = _tenancy(request, source, role)
        known = await is_open(request.state.database, tenancy.caller.tenant_id)
        held = await secrets_of(tenancy) if known else None
        body = await request.body()
        message_id = (held or NOBODYS).verified(request.headers, body, time.time())
        return Delivery(tenancy, source, message_id, body)

    return Depends(declaring(delivery, Signed(reason)))


def _tenancy(request: Request, source: str, role: Role) -> Tenancy:
    try:
        tenant_id = TenantId(UUID(str(request.path_params["tenant_id"])))
    except ValueError:
        raise SignatureRefused("The address names no tenant.") from None
    caller = Caller(f"webhook:{source}", tenant_id, role)
    return Tenancy(caller, request.state.intelligence, request.state.database)


async def _outbound(request: Request) -> Outbound:
    outbound: Outbound = request.state.outbound
    return outbound


CallsStrangers = Annotated[Outbound, Depends(_outbound)]


async def _outgoing(request: Request) -> Outgoing:
    outgoing: Outgoing | None = request.state.outgoing
    if outgoing is None:
        raise RuntimeError("give create_app an endpoint_of: nobody would send what is put here")
    return outgoing


SendsWebhooks = Annotated[Outgoing, Depends(_outgoing)]
