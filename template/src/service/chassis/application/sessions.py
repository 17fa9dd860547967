"""Sessions, and the single-use refresh tokens that keep them going.

A refresh token is `rt_<tenant>_<token>_<secret>`; the database holds the secret's hash. Each is
good once. Used again, it gives the same successor for a few seconds (answers get lost), but only
while that successor is unused; otherwise somebody holds a copy, and the whole session ends.
"""

import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from uuid import UUID, uuid4

from sqlalchemy import (
    Double,
    cast,
    func,
)
from sqlalchemy.ext.asyncio import AsyncSession

from service.chassis.application.attempts import Bucket, count, neighbourhood
from service.chassis.application.audit import STRANGER, Actor, record
from service.chassis.application.database import Database
from service.chassis.application.denials import KNOWN_TENANT, Denials
from service.chassis.application.session_rows import (
    END_ONE,
    KEEP,
    OPEN,
    PRESENTED,
    REFRESHED,
    SPEND,
    Presented,
)
from service.chassis.errors import Unauthenticated
from service.chassis.identity import MemberId, SessionId, TenantId
from service.chassis.sections import IdentitySettings


@dataclass(frozen=True)
class Granted:
    """What a sign-in or a refresh gives: enough for an access token, and the next refresh token."""

    tenant_id: TenantId
    member_id: MemberId
    session_id: SessionId
    authenticated_at: datetime
    refresh_token: str


@dataclass(frozen=True)
class Secret:
    """A refresh token in parts."""

    tenant_id: TenantId
    token_id: UUID
    secret: str

    @classmethod
    def parse(cls, sent: str) -> "Secret":
        if not (parts := SPELLED.fullmatch(sent)):
            raise Unauthenticated(REFUSED)
        return cls(TenantId(UUID(parts[1])), UUID(parts[2]), parts[3])

    def __str__(self) -> str:
        return f"rt_{self.tenant_id.hex}_{self.token_id.hex}_{self.secret}"

    @property
    def hashed(self) -> bytes:
        return sha256(self.secret.encode()).digest()


SPELLED = re.compile(r"rt_([0-9a-f]{32})_([0-9a-f]{32})_([\w-]{43})", re.ASCII)
REFUSED = "The refresh token is not valid, or no longer; sign in again."


class Refusal(StrEnum):
    """Why there is no successor; callers are told the same of all."""

    GUESS = "wrong secret"
    OVER = "no longer good"
    REUSED = "used before"


class Sessions:
    def __init__(self, database: Database, settings: IdentitySettings) -> None:
        self._database = database
        self._denials = Denials(database)
        self._key = settings.signing_key.get_secret_value().encode()
        self._idle = timedelta(days=settings.refresh_idle_days)
        self.idle_seconds = int(self._idle.total_seconds())
        self._lifetime = timedelta(days=settings.session_days)
        self._grace = timedelta(seconds=settings.refresh_grace_seconds)

    async def open(
        self,
        session: AsyncSession,
        tenant_id: TenantId,
        member_id: MemberId,
        methods: str,
        actor: Actor,
        *,
        proven_at: int | None = None,
    ) -> Granted:
        """Inside the transaction that found out who it is, now or when somebody says it was."""
        values = {
            "member_id": member_id,
            "methods": methods,
            "address": actor.address,
            "authenticated_at": func.least(func.now(), func.to_timestamp(cast(proven_at, Double))),
            "expires_at": func.now() + self._lifetime,
        }
        opened = (await session.execute(OPEN.values(values))).one()
        first = Secret(tenant_id, uuid4(), secrets.token_urlsafe(32))
        await self._keep(session, first, opened.id)
        await record(session, actor, "session.opened", opened.id, methods)
        return Granted(
            tenant_id, member_id, SessionId(opened.id), opened.authenticated_at, str(first)
        )

    async def _keep(self, session: AsyncSession, kept: Secret, session_id: UUID) -> None:
        values = {"id": kept.token_id, "session_id": session_id, "secret_hash": kept.hashed}
        await session.execute(KEEP.values(**values, expires_at=func.now() + self._idle))

    async def refresh(self, sent: str, address: str) -> Granted:
        """Wrong secrets are counted and make their sender wait; a right one never waits."""
        token = Secret.parse(sent)
        async with self._database.transaction(token.tenant_id) as session:
            found = await _presented(session, token)
            # A wrong secret with a right id must not spend the token of its owner.
            if found is None or not hmac.compare_digest(found.secret_hash, token.hashed):
                await _count_guess(session, token, address)
                outcome: Secret | Refusal = Refusal.GUESS
            elif found.lives and found.fresh:
                outcome = await self._child(session, token, found, address)
            else:
                outcome = Refusal.OVER
        if found is not None and isinstance(outcome, Secret):
            return self._granted(found, outcome)
        if outcome != Refusal.REUSED:
            await self._record_refused(token, found, str(outcome), address)
        raise Unauthenticated(REFUSED)

    async def _child(
        self, session: AsyncSession, token: Secret, found: Presented, address: str
    ) -> "Secret | Refusal":
        """The successor: made at the first use; the same again within the grace."""
        within = found.used_for is None or found.used_for <= self._grace
        if found.used_for is None:
            child = self._derived(token, uuid4())
            if await self._spent(session, token, found, child):
                actor = Actor(str(found.member_id), address)
                await record(session, actor, "session.refreshed", found.session_id)
                return child
            # Somebody was faster. It was unused when it came: waiting is no fault of its owner.
            again = await _presented(session, token)
            if again is None:
                return Refusal.OVER
            found = again
        if within and found.child_unused:
            return self._derived(token, found.child_id)
        await self._end_for_reuse(session, found, address)
        return Refusal.REUSED

    async def _spent(
        self, session: AsyncSession, token: Secret, found: Presented, child: Secret
    ) -> bool:
        spending = {"token": token.token_id, "child": child.token_id}
        if await session.scalar(SPEND, spending) is None:
            return False
        if await session.scalar(REFRESHED, {"session": found.session_id}) is None:
            raise Unauthenticated(REFUSED)
        await self._keep(session, child, found.session_id)
        return True

    def _derived(self, parent: Secret, child_id: UUID) -> Secret:
        """Made from the parent, so that it can be given again and is stored nowhere."""
        message = b"refresh" + child_id.bytes + parent.secret.encode()
        digest = hmac.digest(self._key, message, "sha256")
        return Secret(parent.tenant_id, child_id, urlsafe_b64encode(digest).decode().rstrip("="))

    async def _end_for_reuse(self, session: AsyncSession, found: Presented, address: str) -> None:
        await session.execute(END_ONE, {"session": found.session_id, "because": "reuse"})
        thief = Actor(str(found.member_id), address)
        await record(session, thief, "session.refresh_token_reused", found.session_id)

    async def _record_refused(
        self, token: Secret, found: Presented | None, why: str, address: str
    ) -> None:
        who = str(found.member_id) if found and why == Refusal.OVER else STRANGER
        target = found.session_id if found else ""
        await self._denials.record(
            token.tenant_id, Actor(who, address), "session.refresh_refused", target, why
        )

    def _granted(self, found: Presented, child: Secret) -> Granted:
        member_id, session_id = MemberId(found.member_id), SessionId(found.session_id)
        return Granted(child.tenant_id, member_id, session_id, found.authenticated_at, str(child))


async def _presented(session: AsyncSession, token: Secret) -> Presented | None:
    return (await session.execute(PRESENTED, {"token": token.token_id})).one_or_none()


async def _count_guess(session: AsyncSession, token: Secret, address: str) -> None:
    near = neighbourhood(address)
    both = Bucket(f"refresh|{token.token_id}|{near}", 5)
    # In no tenant there is nothing to count, and nothing to guess.
    if await session.scalar(KNOWN_TENANT) is not None:
        await count(session, [both, Bucket(f"refresh|from|{near}", 50)])
