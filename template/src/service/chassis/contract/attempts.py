"""Stricter limits, each one line in the route that needs it.

dependencies=[MODEL_CALLS]                        a route that asks a model
attempt = await begin_attempt(request, account)   before a password or a code is compared
await attempt.succeeded()                         after it was right
"""

from dataclasses import dataclass
from hashlib import sha256

from fastapi import Depends, Request

from service.chassis.application.shared_counts import CountsGone
from service.chassis.contract.allowance import Allowance
from service.chassis.contract.front import Visit
from service.chassis.contract.limits import requester

KNOWN_SECONDS = 30 * 86_400


@dataclass(frozen=True)
class Attempt:
    """Somebody at this address says to be this account."""

    visit: Visit
    allowance: Allowance
    account: str

    async def begin(self) -> None:
        allowance, visit = self.allowance, self.visit
        await allowance.take(visit, allowance.sign_in_address, (visit.address,), words=REFUSED)
        await allowance.take(visit, allowance.sign_in, (self._place,), words=REFUSED)
        # Strangers who try an account from everywhere do not lock out who has been here before.
        if not await self._is_known():
            await allowance.take(visit, allowance.sign_in_account, (self.account,), words=REFUSED)

    async def succeeded(self) -> None:
        """This address is no stranger to the account from now on."""
        try:
            await self.allowance.quotas.shared.mark(self._place, KNOWN_SECONDS)
        except CountsGone:
            return

    async def _is_known(self) -> bool:
        try:
            return await self.allowance.quotas.shared.marked(self._place)
        except CountsGone:
            return False

    @property
    def _place(self) -> str:
        return f"sign-in:{self.account}:{self.visit.address}"


REFUSED = "Too many attempts to sign in; wait before the next one."


async def begin_attempt(request: Request, account: str) -> Attempt:
    """`account` as it was typed, known or not: the same answer for both tells nothing."""
    typed = " ".join(account.casefold().split())
    # Hashed, because Valkey is no place for addresses of people.
    attempt = Attempt(
        request.scope["visit"], request.state.allowance, sha256(typed.encode()).hexdigest()
    )
    await attempt.begin()
    return attempt


async def _model_call(request: Request) -> None:
    allowance: Allowance = request.state.allowance
    await allowance.take(request.scope["visit"], allowance.model, (requester(request),))


MODEL_CALLS = Depends(_model_call)
