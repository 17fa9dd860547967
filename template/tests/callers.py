"""Owned by the template: HTTP clients inside the process, signed in or strangers."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx2

from agreed import AGREED
from dev.people import signed_in
from service.chassis.app import Service
from service.chassis.application.sessions import Granted
from service.chassis.identity import Role, TenantId

# No secret: the same in every test, and refused nowhere but where it is tested.
KEY = "0123456789abcdef" * 4


@dataclass
class Person(httpx2.Auth):
    """A member of the tenant, who signs in when the first request needs it."""

    app: Service
    tenant_id: TenantId
    role: Role
    email: str = field(default_factory=lambda: f"{uuid4().hex}@example.org")
    granted: Granted | None = None
    token: str = ""

    async def sign_in(self) -> Granted:
        given = self.app.state.given
        parts = given["database"], given["sessions"]
        self.granted = await signed_in(*parts, self.tenant_id, self.email, self.role)
        self.token = given["access_tokens"].sign(self.granted)
        return self.granted

    async def async_auth_flow(
        self, request: httpx2.Request
    ) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        if not self.token:
            await self.sign_in()
        request.headers.setdefault("authorization", f"Bearer {self.token}")
        yield request


class Client(httpx2.AsyncClient):
    """An HTTP client inside the process; its lifespan state is the application's."""

    def __init__(
        self, app: Service, person: Person | None, address: str = "127.0.0.1", **options: Any
    ) -> None:
        async def served(scope: Any, receive: Any, send: Any) -> None:
            await app({**scope, "state": dict(app.state.given)}, receive, send)

        self.person = person
        super().__init__(
            transport=httpx2.ASGITransport(
                served, raise_app_exceptions=False, client=(address, 123)
            ),
            base_url="http://service",
            auth=person,
            **options,
        )

    async def send(
        self, request: httpx2.Request, *, stream: bool = False, **options: Any
    ) -> httpx2.Response:
        response = await super().send(request, stream=stream, **options)
        if not stream:
            wrong = list(AGREED.differences(response))
            assert not wrong, f"not what the interface document says: {wrong}"
        return response

    async def signed_in(self) -> "Client":
        assert self.person is not None
        await self.person.sign_in()
        return self

    async def credentials(self) -> dict[str, str]:
        """For a request past this client, to another process."""
        await self.me.sign_in()
        return {"authorization": f"Bearer {self.me.token}"}

    @property
    def me(self) -> Person:
        assert self.person is not None
        return self.person


ClientFor = Callable[..., Client]
Suspend = Callable[..., Awaitable[None]]
