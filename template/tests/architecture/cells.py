"""The cells of the access matrix: what each should answer, and the credentials to ask with."""

import tomllib
from copy import copy
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Literal

from sqlalchemy import text

from callers import Person
from service.chassis.app import Service
from service.chassis.application.api_keys import create_key
from service.chassis.application.tenancy import Tenancy
from service.chassis.contract.guards import Route
from service.chassis.identity import FRESH_SECONDS, Caller, Permission, Role, TenantId

REVIEWED = tomllib.loads(Path(__file__).with_name("access.toml").read_text("utf-8"))
ROLES: dict[str, list[str]] = REVIEWED["roles"]
STEPPED_UP: list[str] = REVIEWED["actions"]["stepped_up"]
LISTED: dict[str, str] = REVIEWED["routes"]
Proof = Literal["none", "bad", "expired", "key", "fresh", "stale"]
PROOFS: tuple[Proof, ...] = ("none", "bad", "expired", "key", "fresh", "stale")
PASSES = 0


@dataclass(frozen=True)
class Cell:
    """Who asks: a role in a tenant, in a state, with a proof."""

    role: Role
    suspended: bool
    disabled: bool
    proof: Proof

    def expected(self, access: str) -> int:
        """401, 403, or that the request gets past the guard."""
        needs, _, only_by = access.partition(" by ")
        if needs == "public":
            # No cell has a cookie, nor a page of ours that sends one.
            return 403 if only_by == "cookie" else PASSES
        if self.proof in {"none", "bad", "expired"} or self.suspended:
            return 401
        if self.disabled and self.proof != "key":
            return 401
        action = needs.partition(":")[2]
        key, stepped_up = self.proof == "key", action in STEPPED_UP or only_by.endswith("freshly")
        if action not in ROLES[self.acting] or (key and (stepped_up or only_by)):
            return 403
        return 401 if stepped_up and self.proof == "stale" else PASSES

    @property
    def acting(self) -> Role:
        """A key can be no more than an editor, whoever made it."""
        return Role.EDITOR if self.proof == "key" and self.role in ABOVE else self.role


ABOVE = {Role.ADMIN, Role.OWNER}
CELLS = [Cell(*each) for each in product(Role, (False, True), (False, True), PROOFS)]


def accesses(routes: list[Route]) -> dict[str, str]:
    """What is reviewed for the chassis, what is declared by features."""
    found = {}
    for route in routes:
        name = f"{route.method} {route.path}"
        declared = str(route.access) if isinstance(route.access, Permission) else "public"
        found[name] = LISTED.get(name, declared)
    return found


Made = dict[tuple[Role, bool, Proof], str]


@dataclass(frozen=True)
class Maker:
    """Makes one credential of each kind, to be used for every route."""

    app: Service
    scopes: tuple[str, ...]

    async def credentials(self, tenant: TenantId) -> Made:
        made: Made = {}
        for role, disabled in product(Role, (False, True)):
            person = Person(self.app, tenant, role)
            for proof, credential in (await self._of_member(person)).items():
                made[role, disabled, proof] = credential
            if disabled:
                await self._run(tenant, DISABLED, person.email)
        return made

    async def _of_member(self, person: Person) -> dict[Proof, str]:
        tenant, role = person.tenant_id, person.role
        stale = await person.sign_in()
        stale_token = person.token
        await self._run(tenant, OLD, str(stale.session_id))
        granted = await person.sign_in()
        expired = copy(self.app.state.given["access_tokens"])
        expired.lifetime = -60
        caller = Caller(
            str(granted.member_id),
            tenant,
            Role.ADMIN,
            "standard",
            None,
            granted.session_id,
            granted.authenticated_at.timestamp(),
        )
        return {
            "none": "",
            "bad": person.token[:-8] + "AAAAAAAA",
            "expired": expired.sign(granted),
            "key": await self._key(caller, role),
            "fresh": person.token,
            "stale": stale_token,
        }

    async def _key(self, caller: Caller, role: Role) -> str:
        given = self.app.state.given
        tenancy = Tenancy(caller, given["intelligence"], given["database"])
        lent = Role.EDITOR if role in ABOVE else role
        _, key = await create_key(tenancy, "matrix", lent, self.scopes, timedelta(days=1))
        return key

    async def _run(self, tenant: TenantId, sql: str, value: str) -> None:
        async with self.app.state.given["database"].transaction(tenant) as session:
            await session.execute(text(sql), {"value": value})


DISABLED = "UPDATE members SET state = 'disabled' WHERE email = :value"
OLD = f"""UPDATE sessions SET authenticated_at = now() - interval '{FRESH_SECONDS + 5} seconds'
    WHERE id = CAST(CAST(:value AS text) AS uuid)"""
