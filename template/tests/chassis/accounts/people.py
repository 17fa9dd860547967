"""Members with passwords, the letters they get, and what the record says of them."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from httpx2 import Response
from sqlalchemy import insert, text

from callers import Client
from service.chassis.app import Service
from service.chassis.application.accounts import Accounts
from service.chassis.application.members import Member
from service.chassis.application.passwords import Password, Passwords
from service.chassis.identity import TenantId

PASSWORD = "a violet gazebo, 19 herons"
OTHER = "seven quiet tractors & tea"


def somewhere() -> str:
    """An address that nobody used before."""
    return f"2001:db8:{secrets.token_hex(2)}:{secrets.token_hex(2)}::1"


@dataclass
class World:
    """The service, from the outside."""

    app: Service
    tenant: TenantId
    outbox: Path

    @property
    def accounts(self) -> Accounts:
        accounts: Accounts = self.app.state.given["accounts"]
        return accounts

    async def post(
        self, path: str, body: dict[str, Any], address: str = "", **more: Any
    ) -> Response:
        client = Client(self.app, None, address or somewhere())
        return await client.post(f"/v1{path}", json=body, **more)

    async def sign_in(self, email: str, password: str, address: str = "", **more: Any) -> Response:
        body = {"tenant": str(self.tenant), "email": email, "password": password, **more}
        return await self.post("/sign-in/password", body, address)

    async def as_member(self, email: str, password: str = PASSWORD, **more: Any) -> Client:
        """A client with the tokens of a new sign-in."""
        tokens = (await self.sign_in(email, password, **more)).json()
        headers = {"authorization": f"Bearer {tokens['access_token']}"}
        return Client(self.app, None, headers=headers)

    async def member(
        self, state: str = "active", *, hashed: str | None = None, email: str = ""
    ) -> str:
        """The address of somebody with PASSWORD."""
        email = email or f"{uuid4().hex}@example.org"
        hashed = hashed or await self.accounts.passwords.hash(PASSWORD)
        values = {"email": email, "name": email, "role": "editor", "state": state}
        async with self.accounts.database.transaction(self.tenant) as session:
            made = insert(Member).values(values).returning(Member.id)
            member_id = (await session.execute(made)).scalar_one()
            await session.execute(insert(Password).values(member_id=member_id, hash=hashed))
        return email

    async def run(self, sql: str, **values: Any) -> Sequence[Any]:
        async with self.accounts.database.transaction(self.tenant) as session:
            result: Any = await session.execute(text(sql), values)
            return list(result.scalars()) if result.returns_rows else []

    async def id_of(self, email: str) -> UUID:
        (found,) = await self.run("SELECT id FROM members WHERE email = :email", email=email)
        return UUID(str(found))

    async def events(self, target: object = "") -> list[str]:
        """What the record says, oldest first."""
        sql = "SELECT action FROM audit_log WHERE target = :target OR :target = '' ORDER BY number"
        return list(await self.run(sql, target=str(target)))

    async def letters(self, to: str) -> list[EmailMessage]:
        """Oldest first."""
        await self.accounts.background.drain()
        files = sorted(self.outbox.glob("*.eml"))
        read = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
        return [letter for letter in read if letter["to"] == to]

    async def token(self, to: str) -> str:
        """From the newest letter."""
        found = re.search(r"#(ot_\S+)", (await self.letters(to))[-1].get_content())
        assert found
        return found[1]

    async def reset_token(self, email: str) -> str:
        asked = {"tenant": str(self.tenant), "email": email}
        assert (await self.post("/accounts/reset-letter", asked)).status_code == 204
        return await self.token(email)


def quick() -> Passwords:
    """Hashes of older, cheaper settings."""
    return Passwords(passes=1)
