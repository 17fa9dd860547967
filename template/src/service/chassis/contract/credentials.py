"""Bearer credentials become callers: access tokens of people, keys of machines."""

import time
from collections import OrderedDict

from service.chassis.application.standing import Standing
from service.chassis.contract.access_tokens import AccessTokens
from service.chassis.contract.external_tokens import ExternalTokens
from service.chassis.identity import Caller
from service.chassis.sections import IdentitySettings

REMEMBERED = 10_000
MACHINE = "sk_"


class Credentials:
    """Remembers a caller for the revocation bound: what ended since works on no longer."""

    def __init__(
        self,
        standing: Standing,
        tokens: AccessTokens,
        external: ExternalTokens,
        settings: IdentitySettings,
    ) -> None:
        self._standing = standing
        self._tokens = tokens
        self._external = external
        self._bound = settings.revocation_seconds
        self._remembered: OrderedDict[str, tuple[float, Caller]] = OrderedDict()

    async def caller(self, credential: str, address: str = "") -> Caller:
        """`address` is where it was sent from, for the record if it is refused."""
        until, caller = self._remembered.get(credential, (0.0, None))
        # By the clock that nobody sets: a step back must not keep a caller alive.
        if caller is None or until <= time.monotonic():
            # From before the question: the answer may be old when it arrives.
            asked = time.monotonic()
            caller, left = await self._asked(credential, address)
            self._remember(credential, asked + min(self._bound, left), caller)
        return caller

    async def _asked(self, credential: str, address: str) -> tuple[Caller, float]:
        """Who it is, and for how many seconds the credential itself is good."""
        if credential.startswith(MACHINE):
            return await self._standing.with_key(credential, address)
        if self._external.trusts_issuer_of(credential):
            said = await self._external.claims(credential)
            caller = await self._standing.with_identity(
                said.tenant_id, said.issuer, said.subject, said.scopes, address
            )
            return caller, said.expires_at - time.time()
        of = self._tokens.verify(credential)
        caller = await self._standing.in_session(of.tenant_id, of.member_id, of.session_id, address)
        return caller, of.expires - time.time()

    def _remember(self, credential: str, until: float, caller: Caller) -> None:
        self._remembered[credential] = (until, caller)
        self._remembered.move_to_end(credential)
        if len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)
