"""What no made-up body can create: it takes a device."""

from uuid import uuid4

from sqlalchemy import insert

from callers import Person
from service.chassis.application.database import Database
from service.chassis.application.passkeys import Passkey


async def added_passkey(person: Person, name: str) -> str:
    database: Database = person.app.state.given["database"]
    granted = person.granted or await person.sign_in()
    values = {"member_id": granted.member_id, "name": name, "credential_id": uuid4().bytes}
    values |= {"public_key": b"", "sign_count": 0}
    async with database.transaction(person.tenant_id) as session:
        made = await session.execute(insert(Passkey).values(values).returning(Passkey.id))
    return str(made.scalar_one())
