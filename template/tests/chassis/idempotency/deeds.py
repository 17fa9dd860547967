"""A feature whose effects can be counted, and whose handlers do all that handlers may do."""

import asyncio
import os
import signal
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, BackgroundTasks, Depends, Response
from fastapi.responses import StreamingResponse
from pydantic import Field
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from service.chassis.application.tenancy import Tenancy
from service.chassis.contract.guards import allow, public
from service.chassis.contract.idempotency import MAX_STORED_BYTES, key_required, unstored
from service.chassis.contract.shapes import Accepted, StorableText
from service.chassis.errors import Conflict
from service.chassis.identity import Action
from service.chassis.intelligence.gateway import Prompt

TABLE = """
SET ROLE service_owner;
CREATE TABLE deeds (
    tenant_id uuid NOT NULL DEFAULT wall.tenant() REFERENCES tenants (id),
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    what text NOT NULL CHECK (what <> 'forbidden'),
    only_one text,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, only_one) DEFERRABLE INITIALLY DEFERRED
);
SELECT wall.enclose('deeds');
"""
INSERT = text("INSERT INTO deeds (what, only_one) VALUES (:what, :only_one)")
COUNT = text("SELECT count(*) FROM deeds WHERE what = :what")
ECHO = Prompt("tests.echo", version=1, instructions="Repeat.")
CanWrite = Annotated[Tenancy, allow("deeds", Action.WRITE)]
router = APIRouter(prefix="/deeds")
# How often the handlers ran, for each word; and what lets a waiting one go on.
RUNS: Counter[str] = Counter()
BEGUN: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
GATES: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)


class Deed(Accepted):
    what: Annotated[StorableText, Field(max_length=200)]


async def do(tenancy: Tenancy, what: str, only_one: str | None = None) -> None:
    async with tenancy.transaction() as session:
        await session.execute(INSERT, {"what": what, "only_one": only_one})


async def done(tenancy: Tenancy, what: str) -> int:
    async with tenancy.transaction() as session:
        return int((await session.execute(COUNT, {"what": what})).scalar_one())


def told(what: str) -> dict[str, str]:
    return {"what": what, "told": str(uuid4())}


@router.post("", status_code=201)
async def once(tenancy: CanWrite, deed: Deed, response: Response) -> dict[str, str]:
    RUNS[deed.what] += 1
    await do(tenancy, deed.what)
    response.headers["location"] = f"/v1/deeds/{deed.what}"
    response.headers["x-internal"] = "not to be kept"
    return told(deed.what)


@router.post("/twice")
async def twice(tenancy: CanWrite, deed: Deed) -> dict[str, str]:
    await do(tenancy, deed.what)
    await do(tenancy, deed.what)
    return told(deed.what)


@router.put("/{deed_id}")
async def change(
    tenancy: CanWrite, deed_id: UUID, deed: Deed, a: int = 0, b: int = 0
) -> dict[str, str]:
    """`a` and `b` are there to be told apart."""
    assert a + b >= 0
    await do(tenancy, deed.what)
    return {**told(deed.what), "id": str(deed_id)}


@router.delete("/{what}", status_code=204)
async def remove(tenancy: CanWrite, what: str) -> None:
    RUNS[what] += 1
    await do(tenancy, what)


@router.post("/waiting")
async def waiting(tenancy: CanWrite, deed: Deed) -> dict[str, str]:
    RUNS[deed.what] += 1
    await do(tenancy, deed.what)
    BEGUN[deed.what].set()
    await GATES[deed.what].wait()
    return told(deed.what)


@router.post("/refused")
async def refused(tenancy: CanWrite, deed: Deed) -> None:
    RUNS[deed.what] += 1
    await do(tenancy, deed.what)
    raise Conflict("not now")


@router.post("/crashed")
async def crashed(tenancy: CanWrite, deed: Deed) -> None:
    RUNS[deed.what] += 1
    await do(tenancy, deed.what)
    raise RuntimeError


@router.post("/killed")
async def killed(tenancy: CanWrite, deed: Deed) -> dict[str, str]:
    await do(tenancy, deed.what)
    if "MORTAL" in os.environ:
        os.kill(os.getpid(), signal.SIGKILL)
    return told(deed.what)


@router.post("/duplicate")
async def duplicate(tenancy: CanWrite, deed: Deed) -> dict[str, str]:
    """The database notices only when it commits."""
    await do(tenancy, deed.what, only_one="taken")
    return told(deed.what)


@router.post("/handled")
async def handled(tenancy: CanWrite, deed: Deed) -> dict[str, str]:
    await do(tenancy, deed.what)
    try:
        async with tenancy.transaction() as session:
            await session.execute(INSERT, {"what": deed.what, "only_one": None})
            await session.execute(INSERT, {"what": "forbidden", "only_one": None})
    except IntegrityError:
        await do(tenancy, f"{deed.what} instead")
    return told(deed.what)


@router.post("/gathered")
async def gathered(tenancy: CanWrite, deed: Deed) -> dict[str, str]:
    await asyncio.gather(*(do(tenancy, deed.what) for _ in range(5)))
    async with tenancy.transaction():
        await do(tenancy, deed.what)
    return told(deed.what)


@router.post("/asked")
async def asked(tenancy: CanWrite, deed: Deed) -> dict[str, str]:
    RUNS[deed.what] += 1
    await do(tenancy, deed.what)
    await tenancy.intelligence.ask(ECHO, deed.what)
    await do(tenancy, deed.what)
    return told(deed.what)


@router.post("/read-and-asked")
async def read_and_asked(tenancy: CanWrite, deed: Deed) -> dict[str, str]:
    RUNS[deed.what] += 1
    await done(tenancy, deed.what)
    await tenancy.intelligence.ask(ECHO, deed.what)
    await tenancy.intelligence.ask(ECHO, deed.what)
    await do(tenancy, deed.what)
    return told(deed.what)


@router.post("/streamed")
async def streamed(tenancy: CanWrite, deed: Deed) -> StreamingResponse:
    RUNS[deed.what] += 1
    await do(tenancy, deed.what)

    async def events() -> AsyncGenerator[str]:
        for _ in range(3):
            yield f"data: {await done(tenancy, deed.what)}\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


@router.post("/large")
async def large(tenancy: CanWrite, deed: Deed) -> Response:
    await do(tenancy, deed.what)
    return Response(b"x" * (MAX_STORED_BYTES + 1))


@router.post("/secret", dependencies=[Depends(unstored)])
async def secret(tenancy: CanWrite, deed: Deed) -> dict[str, str]:
    await do(tenancy, deed.what)
    return {"secret": f"shown once: {deed.what}"}


@router.post("/cookie")
async def cookie(tenancy: CanWrite, deed: Deed, response: Response) -> dict[str, str]:
    await do(tenancy, deed.what)
    response.set_cookie("session", deed.what)
    return told(deed.what)


@router.post("/required", dependencies=[Depends(key_required)])
async def required(tenancy: CanWrite, deed: Deed) -> dict[str, str]:
    await do(tenancy, deed.what)
    return told(deed.what)


@router.post("/required-late")
async def required_late(
    tenancy: CanWrite, deed: Deed, _: Annotated[None, Depends(key_required)]
) -> dict[str, str]:
    return told(deed.what)


@router.post("/afterwards")
async def afterwards(tenancy: CanWrite, deed: Deed, later: BackgroundTasks) -> dict[str, str]:
    later.add_task(do, tenancy, deed.what)
    return told(deed.what)


async def open_too_long(tenancy: CanWrite) -> AsyncGenerator[None]:
    """The framework closes it when the answer is gone."""
    async with tenancy.transaction():
        yield


@router.post("/left-open")
async def left_open(
    tenancy: CanWrite, deed: Deed, _: Annotated[None, Depends(open_too_long)]
) -> dict[str, str]:
    await do(tenancy, deed.what)
    return told(deed.what)


@router.post("/public", dependencies=[public("tests")])
async def open_to_all(deed: Deed) -> dict[str, str]:
    RUNS[deed.what] += 1
    return told(deed.what)


elsewhere = APIRouter(prefix="/elsewhere")
elsewhere.include_router(router)
