"""Owned by the template: HTTP clients inside the process, signed in or strangers."""

from collections.abc import Callable
from typing import Any

import httpx2

from service.chassis.app import Service
from service.chassis.contract.sign_in import sign_development_token
from service.chassis.identity import Caller

# No secret: the same in every test, and refused nowhere but where it is tested.
KEY = "0123456789abcdef" * 4


class Client(httpx2.AsyncClient):
    """An HTTP client inside the process; its lifespan state is the application's."""

    def __init__(self, app: Service, caller: Caller | None) -> None:
        async def served(scope: Any, receive: Any, send: Any) -> None:
            await app({**scope, "state": dict(app.state.given)}, receive, send)

        token = sign_development_token(KEY, caller) if caller else None
        super().__init__(
            transport=httpx2.ASGITransport(served, raise_app_exceptions=False),
            base_url="http://service",
            headers={"authorization": f"Bearer {token}"} if token else {},
        )


ClientFor = Callable[..., Client]
