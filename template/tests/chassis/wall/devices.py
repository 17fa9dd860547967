"""What no made-up body can create: it takes a device, or a feature that asks a model."""

import asyncio
from uuid import uuid4

from sqlalchemy import insert

from callers import Person
from service.chassis.application.database import Database
from service.chassis.application.escalations import escalate
from service.chassis.application.passkeys import Passkey
from service.chassis.application.run_reading import MAY_READ, read_run
from service.chassis.application.tenancy import Tenancy
from service.chassis.identity import Caller
from service.chassis.intelligence.citations import Source
from service.chassis.intelligence.gateway import Prompt, Question

ECHO = Prompt("tests.canary", version=1, instructions="Repeat.")


async def added_passkey(person: Person, name: str) -> str:
    database: Database = person.app.state.given["database"]
    granted = person.granted or await person.sign_in()
    values = {"member_id": granted.member_id, "name": name, "credential_id": uuid4().bytes}
    values |= {"public_key": b"", "sign_count": 0}
    async with database.transaction(person.tenant_id) as session:
        made = await session.execute(insert(Passkey).values(values).returning(Passkey.id))
    return str(made.scalar_one())


async def asked_run(person: Person, text: str) -> str:
    """That has ended, so that it does not change any more, and that a person was asked about."""
    given = person.app.state.given
    granted = person.granted or await person.sign_in()
    caller = Caller(str(granted.member_id), person.tenant_id, person.role)
    tenancy = Tenancy(caller, given["intelligence"], given["database"])
    source = Source(uuid4().hex, text)
    question = Question(ECHO, f"[{source.id}] {text}", [source])
    run = await given["runs"].ask(tenancy, MAY_READ, question)
    async with asyncio.timeout(10):
        while (await read_run(tenancy, run.id)).ended_at is None:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.02)
    await escalate(tenancy, run.id, text)
    return str(run.id)
