"""A route that does something, is on record, and is refused what comes next."""

from chassis.idempotency.deeds import RUNS, CanWrite, Deed, do
from fastapi import APIRouter

from service.chassis.application.audit import Actor, record
from service.chassis.identity import Action, Permission

router = APIRouter(prefix="/refusing")


@router.post("")
async def denied(tenancy: CanWrite, deed: Deed) -> None:
    await do(tenancy, deed.what)
    async with tenancy.transaction() as session:
        await record(session, Actor.of(tenancy), "deed.done", deed.what)
    async with tenancy.transaction(Permission("deeds", Action.ADMINISTER)):
        RUNS[deed.what] += 1
