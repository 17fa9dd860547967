"""What a member or a key may do right now, as the database says."""

import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy import bindparam, func, select, update

from service.chassis.application.api_keys import ApiKey
from service.chassis.application.audit import STRANGER, Actor
from service.chassis.application.database import Database
from service.chassis.application.denials import Denials
from service.chassis.application.members import Identity, Member
from service.chassis.application.session_rows import SignInSession
from service.chassis.application.tables import Tenant, table_of
from service.chassis.errors import Unauthenticated
from service.chassis.identity import Caller, MemberId, Role, SessionId, TenantId

MEMBERS, SESSIONS = table_of(Member), table_of(SignInSession)
IDENTITIES, identity = table_of(Identity), table_of(Identity).c
TENANTS, KEYS = table_of(Tenant), table_of(ApiKey)
member, session_, tenant, key_ = MEMBERS.c, SESSIONS.c, TENANTS.c, KEYS.c
OF_SESSION = (
    select(member.role, tenant.plan, session_.authenticated_at)
    .select_from(MEMBERS)
    .join(SESSIONS, session_.member_id == member.id)
    .join(TENANTS, tenant.suspended_at.is_(None))
    .where(
        member.id == bindparam("member"),
        member.state == "active",
        session_.id == bindparam("session"),
        session_.ended_at.is_(None),
        session_.expires_at > func.now(),
    )
)
OF_IDENTITY = (
    select(member.id, member.role, tenant.plan)
    .select_from(MEMBERS)
    .join(IDENTITIES, identity.member_id == member.id)
    .join(TENANTS, tenant.suspended_at.is_(None))
    .where(
        member.state == "active",
        identity.issuer == bindparam("issuer"),
        identity.subject == bindparam("subject"),
    )
)
OF_KEY = (
    select(
        key_.role,
        key_.scopes,
        key_.secret_hash,
        tenant.plan,
        (key_.expires_at - func.now()).label("left"),
    )
    .join(TENANTS, tenant.suspended_at.is_(None))
    .where(key_.id == bindparam("key"), key_.expires_at > func.now())
)
KNOWN_KEY = select((key_.expires_at > func.now()).label("live")).where(key_.id == bindparam("key"))
# Once a minute is enough to tell a key that is used from one that is forgotten.
KEY_USED = update(KEYS).where(
    key_.id == bindparam("key"),
    (key_.used_at.is_(None)) | (key_.used_at < func.now() - func.make_interval(0, 0, 0, 0, 0, 1)),
)
KEY_USED = KEY_USED.values(used_at=func.now())
SPELLED = re.compile(r"sk_([0-9a-f]{32})_([0-9a-f]{32})_([\w-]{43})", re.ASCII)
REFUSED = "The token is not valid, or no longer."
WHY_REFUSED = {None: "no such key", True: "wrong secret", False: "no longer good"}


@dataclass(frozen=True)
class KeySecret:
    """`sk_<tenant>_<key>_<secret>`."""

    tenant_id: TenantId
    key_id: UUID
    secret: str

    @classmethod
    def parse(cls, sent: str) -> "KeySecret":
        if not (parts := SPELLED.fullmatch(sent)):
            raise Unauthenticated(REFUSED)
        return cls(TenantId(UUID(parts[1])), UUID(parts[2]), parts[3])


class Standing:
    """Asked anew by every process at least once in the revocation bound."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._denials = Denials(database)

    async def in_session(
        self, tenant_id: TenantId, member_id: MemberId, session_id: SessionId, address: str = ""
    ) -> Caller:
        async with self._database.transaction(tenant_id) as session:
            asked = {"member": member_id, "session": session_id}
            found = (await session.execute(OF_SESSION, asked)).one_or_none()
        if found is None:
            actor = Actor(str(member_id), address)
            await self._denials.record(tenant_id, actor, "session.refused", session_id)
            raise Unauthenticated(REFUSED)
        proven: datetime = found.authenticated_at
        role = Role(found.role)
        subject = str(member_id)
        return Caller(subject, tenant_id, role, found.plan, None, session_id, proven.timestamp())

    async def with_identity(
        self,
        tenant_id: TenantId,
        issuer: str,
        subject: str,
        scopes: frozenset[str] | None,
        address: str = "",
    ) -> Caller:
        """Somebody with an access token of a trusted issuer; a session of ours they have not."""
        async with self._database.transaction(tenant_id) as session:
            asked = {"issuer": issuer, "subject": subject}
            found = (await session.execute(OF_IDENTITY, asked)).one_or_none()
        if found is None:
            await self._denials.record(
                tenant_id, Actor(f"{issuer}#{subject}", address), "identity.refused"
            )
            raise Unauthenticated(REFUSED)
        return Caller(str(found.id), tenant_id, Role(found.role), found.plan, scopes)

    async def with_key(self, sent: str, address: str = "") -> tuple[Caller, float]:
        """The machine, and for how many seconds its key is good."""
        key = KeySecret.parse(sent)
        hashed = sha256(key.secret.encode()).digest()
        async with self._database.transaction(key.tenant_id) as session:
            found = (await session.execute(OF_KEY, {"key": key.key_id})).one_or_none()
            if found is None or not hmac.compare_digest(found.secret_hash, hashed):
                found = None
            else:
                await session.execute(KEY_USED, {"key": key.key_id})
        if found is None:
            await self._record_refused(key, address)
            raise Unauthenticated(REFUSED)
        scopes, left = frozenset(found.scopes), found.left.total_seconds()
        caller = Caller(str(key.key_id), key.tenant_id, Role(found.role), found.plan, scopes)
        return caller, left

    async def _record_refused(self, key: KeySecret, address: str) -> None:
        """Names the key only if there is one: strangers make ids up."""
        async with self._database.transaction(key.tenant_id) as session:
            live = await session.scalar(KNOWN_KEY, {"key": key.key_id})
        stranger, target = Actor(STRANGER, address), "" if live is None else key.key_id
        await self._denials.record(
            key.tenant_id, stranger, "api_key.refused", target, WHY_REFUSED[live]
        )
