"""The service once more, inside the process of the fuzz: there it gets callers for its cases."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from chassis.accounts.people import PASSWORD, World
from sqlalchemy import insert

from callers import Client, Person
from service.chassis.application.passwords import Password
from service.chassis.application.sessions import Granted
from service.chassis.identity import Role, TenantId
from service.main import build

# Set by the test, next to the settings of the service.
TENANT = "FUZZ_TENANT"


@dataclass
class Stage:
    """`person` asks in the present case, and in no other: none can end another's session."""

    world: World
    hashed: str
    person: Person

    async def next_person(self) -> str:
        """The token of an owner who signed in just now."""
        self.person = Person(self.world.app, self.world.tenant, Role.OWNER)
        await self.person.sign_in()
        return self.person.token

    @property
    def granted(self) -> Granted:
        assert self.person.granted is not None
        return self.person.granted

    async def version_at(self, path: str) -> dict[str, str]:
        """For a change of what stands there, if anything does."""
        shown = await Client(self.world.app, self.person).get(path)
        return {"If-Match": shown.headers["etag"]} if "etag" in shown.headers else {}

    async def asked(self, method: str, path: str, body: Any = None) -> Any:
        """What the person was answered before this case."""
        answer = await Client(self.world.app, self.person).request(method, f"/v1{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()

    async def with_password(self) -> None:
        database, tenant = self.world.accounts.database, self.world.tenant
        async with database.transaction(tenant) as session:
            row = {"member_id": self.granted.member_id, "hash": self.hashed}
            await session.execute(insert(Password).values(row))


@asynccontextmanager
async def staged() -> AsyncGenerator[Stage]:
    app, tenant = build(), TenantId(UUID(os.environ[TENANT]))
    async with app.router.lifespan_context(app) as state:
        app.state.given = state
        world = World(app, tenant, Path())
        hashed = await world.accounts.passwords.hash(PASSWORD)
        yield Stage(world, hashed, Person(app, tenant, Role.OWNER))
