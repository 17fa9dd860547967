"""The record of who did what, for the tenant itself."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter

from service.chassis.application import audit
from service.chassis.application.tenancy import Tenancy
from service.chassis.contract.guards import allow
from service.chassis.contract.pages import AskedPage, Page
from service.chassis.contract.shapes import Shown
from service.chassis.identity import Action

CanAdminister = Annotated[Tenancy, allow("audit", Action.ADMINISTER)]

router = APIRouter(prefix="/audit", tags=["audit"])


class AuditView(Shown):
    number: int
    at: datetime
    actor: str
    action: str
    target: str
    address: str
    trace_id: str
    detail: str


class VerdictView(Shown):
    """`broken_at` is the first row that does not follow from the one before it."""

    lines: int
    head: str
    broken_at: int | None


@router.get("")
async def list_audit(tenancy: CanAdminister, asked: AskedPage) -> Page[AuditView]:
    """The newest first."""
    found, last = await audit.list_audit(tenancy, asked.limit, asked.after)
    return asked.page(AuditView, found, last)


@router.get("/verdict")
async def verify_audit(tenancy: CanAdminister) -> VerdictView:
    """Whether the chain is whole; keep `lines` and `head` outside to see a cut end later."""
    return VerdictView.model_validate(await audit.verify_audit(tenancy))
