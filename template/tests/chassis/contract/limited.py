"""Owned by the template: an application with limits of its own, callers from fresh addresses."""

import random
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from fastapi import APIRouter
from httpx2 import Response
from pydantic import SecretStr

from callers import Client, Person
from service.chassis.app import Service, create_app
from service.chassis.identity import Role, TenantId
from service.chassis.sections import ValkeySettings
from service.chassis.settings import Settings


def fresh_address() -> str:
    """Nobody else's, because all tests of a run count in one Valkey."""
    return f"10.{random.randrange(256)}.{random.randrange(256)}.{random.randrange(1, 255)}"  # noqa: S311


@dataclass
class Limited:
    app: Service

    def stranger(self, address: str | None = None) -> Client:
        return Client(self.app, None, address or fresh_address())

    def member(self, tenant: TenantId, subject: str = "", address: str | None = None) -> Client:
        person = Person(self.app, tenant, Role.OWNER, f"{subject or uuid4()}@example.org")
        return Client(self.app, person, address or fresh_address())


class Limiting:
    """`await limiting(router, account_per_minute=3)`: the rest is as generous as in all tests."""

    def __init__(self, settings: Settings, stack: AsyncExitStack) -> None:
        self._settings = settings
        self._stack = stack

    async def __call__(
        self,
        router: APIRouter,
        trusted_proxies: str = "",
        valkey_url: str | None = None,
        **limits: Any,
    ) -> Limited:
        settings = self._settings.model_copy(
            update={
                "limits": self._settings.limits.model_copy(update=limits),
                "http": self._settings.http.model_copy(update={"trusted_proxies": trusted_proxies}),
                "valkey": ValkeySettings(url=SecretStr(valkey_url))
                if valkey_url
                else self._settings.valkey,
            }
        )
        app = create_app(settings, [router])
        app.state.given = await self._stack.enter_async_context(app.router.lifespan_context(app))
        return Limited(app)


async def statuses(client: Client, path: str, times: int, **how: Any) -> list[int]:
    return [(await client.get(path, **how)).status_code for _ in range(times)]


def admitted(answers: Sequence[int]) -> int:
    """How many were let in; whoever is refused is told so by a 429 and nothing else."""
    assert set(answers) <= {200, 429}
    return answers.count(200)


def assert_refused(answer: Response) -> None:
    body = answer.json()
    assert answer.status_code == 429
    assert answer.headers["content-type"] == "application/problem+json"
    assert (body["code"], body["type"]) == ("too-many-requests", "urn:problem:too-many-requests")
    assert int(answer.headers["retry-after"]) >= 1
