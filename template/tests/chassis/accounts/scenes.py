"""Everything that somebody can do to prove who they are, or fail to, each done once over HTTP."""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from chassis.accounts.authenticator import Authenticator
from chassis.accounts.people import OTHER, PASSWORD, World, somewhere
from chassis.accounts.test_totp import code
from httpx2 import Response

from callers import Client

OLD = "UPDATE sessions SET authenticated_at = now() - interval '1 hour'"
ENDED = "UPDATE sessions SET ended_at = now()"
EXPIRED = "UPDATE api_keys SET expires_at = now()"
PASSKEYS = "/v1/account/passkeys"


@dataclass
class Scene:
    """A member with a password who is signed in; what comes now comes from a new address."""

    world: World
    email: str
    member: UUID
    tokens: dict[str, str]
    address: str = field(default_factory=somewhere)
    # What must stand in no record.
    secrets: list[str] = field(default_factory=lambda: [PASSWORD, OTHER])
    device: Authenticator | None = None

    @classmethod
    async def begun(cls, world: World, role: str = "editor") -> "Scene":
        email = await world.member()
        await world.run("UPDATE members SET role = :role WHERE email = :e", role=role, e=email)
        tokens = (await world.sign_in(email, PASSWORD)).json()
        scene = cls(world, email, await world.id_of(email), tokens)
        scene.secrets += [tokens["access_token"], tokens["refresh_token"][-43:]]
        return scene

    def client(self, credential: str = "") -> Client:
        bearer = {"authorization": f"Bearer {credential or self.tokens['access_token']}"}
        return Client(self.world.app, None, self.address, headers=bearer)

    async def sign_in(self, password: str = PASSWORD, **more: Any) -> Response:
        return await self.world.sign_in(self.email, password, self.address, **more)

    async def refresh(self, token: str = "") -> Response:
        body = {"refresh_token": token or self.tokens["refresh_token"]}
        return await self.world.post("/sessions/refresh", body, self.address)

    async def session(self) -> str:
        (found,) = await self.world.run("SELECT id FROM sessions ORDER BY created_at LIMIT 1")
        return str(found)

    async def enrol(self) -> str:
        """The secret that codes are made of; confirmed."""
        secret = str((await self.client().post("/v1/account/totp")).json()["secret"])
        sent = {"code": code(secret, late=1)}
        confirmed = await self.client().post("/v1/account/totp/confirm", json=sent)
        assert confirmed.status_code == 200
        self.secrets += [secret, *confirmed.json()["recovery_codes"]]
        return secret

    async def key(self) -> tuple[str, str]:
        """The id and the key of a machine."""
        await self.world.run("UPDATE members SET role = 'admin'")
        self.world.app.state.given["credentials"]._remembered.clear()
        asked = {"name": "robot", "role": "viewer", "scopes": ["notes:read"], "days": 1}
        made = (await self.client().post("/v1/api-keys", json=asked)).json()
        self.secrets.append(made["key"][-43:])
        return made["id"], made["key"]

    async def challenge(self, path: str) -> dict[str, Any]:
        if path == PASSKEYS:
            begun = await self.client().post(f"{PASSKEYS}/begin")
        else:
            tenant = {"tenant": str(self.world.tenant)}
            begun = await self.world.post("/sign-in/passkey/begin", tenant, self.address)
        options: dict[str, Any] = begun.json()
        self.secrets.append(options["challenge"])
        return options

    async def register(self) -> Response:
        url = self.world.accounts.public_url
        self.device = Authenticator(url, urlsplit(url).hostname or "")
        credential = self.device.create(await self.challenge(PASSKEYS))
        body = {"name": "phone", "credential": credential}
        return await self.client().post(PASSKEYS, json=body)

    async def passkey(self, *, right: bool) -> Response:
        assert self.device
        self.device.counter += 1
        options = await self.challenge("/sign-in/passkey")
        if not right:
            self.device.origin = "https://evil.example"
        body = {"tenant": str(self.world.tenant), "credential": self.device.get(options)}
        return await self.world.post("/sign-in/passkey", body, self.address)


def with_wrong_secret(credential: str) -> str:
    return credential[:-43] + "x" * 43


def made_up(credential: str) -> str:
    """Of the same tenant, with an id that is not there."""
    kind, tenant, _, rest = credential.split("_", 3)
    return f"{kind}_{tenant}_{uuid4().hex}_{rest}"


Act = Coroutine[Any, Any, Response]
Prepared = Callable[[Scene], Awaitable[Act]]


@dataclass(frozen=True)
class Event:
    """What is prepared, and what must be on record after it was done."""

    prepared: Prepared
    status: int
    action: str
    detail: str | None = None
    actor: str = "member"


EVENTS: dict[str, Event] = {}


def event(
    status: int, action: str, detail: str | None = None, actor: str = "member"
) -> Callable[[Prepared], Prepared]:
    def listed(prepared: Prepared) -> Prepared:
        EVENTS[prepared.__name__] = Event(prepared, status, action, detail, actor)
        return prepared

    return listed
