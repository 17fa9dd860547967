"""A sign-in under way: sealed in a cookie of the browser that began it, good for one callback."""

import hmac
import json
import secrets
import time
from dataclasses import asdict, dataclass
from uuid import UUID

from fastapi import Request, Response

from service.chassis.application.once import Once
from service.chassis.application.sealing import Seal, Unsealable
from service.chassis.errors import SignInFailed
from service.chassis.identity import TenantId

# The prefix makes browsers refuse one that another host or a plain connection tries to set.
COOKIE = "__Host-sign-in"
LIFETIME_SECONDS = 600
AGAIN = "This sign-in was begun elsewhere, used already, or is too old. Please start again."


@dataclass(frozen=True)
class Attempt:
    tenant: str
    provider: str
    key: str
    state: str
    nonce: str
    verifier: str
    began: int

    @property
    def tenant_id(self) -> TenantId:
        return TenantId(UUID(self.tenant))


def new_attempt(tenant_id: TenantId, provider: str, key: str) -> Attempt:
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    return Attempt(str(tenant_id), provider, key, state, nonce, verifier, int(time.time()))


class Attempts:
    def __init__(self, key: str, once: Once) -> None:
        self._seal = Seal(key, "sign-in under way")
        self._once = once

    def give(self, response: Response, attempt: Attempt) -> None:
        sealed = self._seal.close(json.dumps(asdict(attempt)))
        response.set_cookie(
            COOKIE, sealed, max_age=LIFETIME_SECONDS, secure=True, httponly=True, samesite="lax"
        )

    async def take(self, request: Request, key: str, state: str) -> Attempt:
        """This browser's own, once: another browser, provider or time has none."""
        try:
            sealed = request.cookies.get(COOKIE, "")
            opened = self._seal.open(sealed, within_seconds=LIFETIME_SECONDS)
        except Unsealable as error:
            raise SignInFailed(AGAIN) from error
        attempt = Attempt(**json.loads(opened))
        same = hmac.compare_digest(attempt.state.encode(), state.encode())
        if not same or attempt.key != key:
            raise SignInFailed(AGAIN)
        if not await self._once.first(attempt.state, kept_seconds=LIFETIME_SECONDS):
            raise SignInFailed(AGAIN)
        return attempt


def forget(response: Response) -> None:
    response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="lax")
