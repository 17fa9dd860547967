"""Built-in accounts: what their use cases work with, and signing in with a password.

A stranger learns nothing about who has an account: each answer and the work before it are the
same, and letters are written after the answer.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, bindparam, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from service.chassis.application.attempts import Bucket, count, forgive, neighbourhood
from service.chassis.application.audit import STRANGER, Actor, record
from service.chassis.application.background import Background
from service.chassis.application.database import Database
from service.chassis.application.denials import Denials
from service.chassis.application.factor_sealing import Sealer
from service.chassis.application.mail import Letter, Mailbox, mailbox
from service.chassis.application.members import Member
from service.chassis.application.passwords import Password, Passwords
from service.chassis.application.second_factors import Proof, prove
from service.chassis.application.session_rows import SignInSession
from service.chassis.application.sessions import Granted, Sessions
from service.chassis.application.tables import OPEN_TENANT, table_of
from service.chassis.errors import SecondFactorRequired, ServiceError, Unauthenticated
from service.chassis.identity import MemberId, TenantId
from service.chassis.settings import Settings, SettingsRefused

REFUSED = "The address, the password or the code is not right."
KNOWN_DAYS = 90

MEMBERS, PASSWORDS = table_of(Member), table_of(Password)
SESSIONS = table_of(SignInSession)
member, password_, session_ = MEMBERS.c, PASSWORDS.c, SESSIONS.c
FOUND = (
    select(member.id, password_.hash)
    .join(PASSWORDS, password_.member_id == member.id)
    .where(member.email == bindparam("email"), member.state == "active")
)
UNCHANGED = FOUND.where(password_.hash == bindparam("verified")).with_for_update()
# Where this member signed in before: an attacker elsewhere cannot lock them out there.
KNOWN_ADDRESS = (
    select(literal(1))
    .join(MEMBERS, member.id == session_.member_id)
    .where(
        member.email == bindparam("email"),
        session_.address == bindparam("address"),
        session_.created_at > func.now() - func.make_interval(0, 0, 0, KNOWN_DAYS),
    )
    .limit(1)
)
STORE = insert(PASSWORDS).values(member_id=bindparam("member"), hash=bindparam("new_hash"))
STORE = STORE.on_conflict_do_update(
    index_elements=["tenant_id", "member_id"],
    set_={"hash": STORE.excluded.hash, "changed_at": func.now()},
)
REHASH = update(PASSWORDS).where(password_.member_id == bindparam("of"))
REHASH = REHASH.values(hash=bindparam("new_hash"))

Found = Row[*tuple[Any, ...]]


@dataclass(frozen=True)
class Accounts:
    database: Database
    sessions: Sessions
    passwords: Passwords
    mailbox: Mailbox
    sealer: Sealer
    background: Background
    denials: Denials
    public_url: str

    @classmethod
    def of(cls, settings: Settings, database: Database, background: Background) -> "Accounts":
        _refuse_unfit(settings)
        return cls(
            database,
            Sessions(database, settings.identity),
            Passwords(),
            mailbox(settings.accounts, production=settings.production),
            Sealer(settings.accounts.key or settings.identity.signing_key),
            background,
            Denials(database),
            settings.http.public_url,
        )

    def send_later(self, letter: Letter) -> None:
        """After the answer, so that nobody waits for a mail server."""
        self.background.start(self.mailbox.send(letter))


def _refuse_unfit(settings: Settings) -> None:
    if not settings.production:
        return
    if settings.accounts.key is None:
        raise SettingsRefused("ACCOUNTS_KEY: missing; make one with: openssl rand -hex 32")
    if not settings.http.public_url.startswith("https://"):
        raise SettingsRefused("HTTP_PUBLIC_URL: letters lead people there; it must be https://")


@dataclass(frozen=True)
class Presented:
    """Who somebody says they are, and what they know."""

    tenant_id: TenantId
    email: str
    password: str
    proof: Proof


async def sign_in(accounts: Accounts, sent: Presented, address: str) -> Granted:
    """Refuses in one way, whatever was wrong; only the right password asks for more."""
    buckets, found = await _counted(accounts, sent, address)
    right = await accounts.passwords.matches(found.hash if found else None, sent.password)
    renewed = None
    if right and found and accounts.passwords.outdated(found.hash):
        renewed = await accounts.passwords.hash(sent.password)
    if buckets is None:
        raise Unauthenticated(REFUSED)
    async with accounts.database.transaction(sent.tenant_id) as session:
        outcome: Granted | ServiceError = Unauthenticated(REFUSED)
        if found and right:
            outcome = await _opened(accounts, session, sent, found, address)
        if isinstance(outcome, Granted):
            await forgive(session, buckets)
            if renewed:
                await session.execute(REHASH, {"of": outcome.member_id, "new_hash": renewed})
        elif found and isinstance(outcome, SecondFactorRequired):
            # Their password is known to whoever this is.
            await record(session, Actor(STRANGER, address), "sign_in.second_factor_asked", found.id)
    if isinstance(outcome, Granted):
        return outcome
    if isinstance(outcome, Unauthenticated):
        await _record_failed(accounts, sent, address, found, right=right)
    raise outcome


async def _record_failed(
    accounts: Accounts, sent: Presented, address: str, found: Found | None, *, right: bool
) -> None:
    """In a minute the same for an account that is there and for one that is not."""
    stranger, target = Actor(STRANGER, address), found.id if found else ""
    wrong = "second factor" if right else "password"
    await accounts.denials.record(
        sent.tenant_id, stranger, "sign_in.failed", target, wrong, named=sent.email
    )


async def _counted(
    accounts: Accounts, sent: Presented, address: str
) -> tuple[list[Bucket] | None, Found | None]:
    """No buckets: there is no such tenant, or it is suspended."""
    async with accounts.database.transaction(sent.tenant_id) as session:
        if await session.scalar(OPEN_TENANT) is None:
            return None, None
        asked = {"email": sent.email, "address": address}
        known = await session.scalar(KNOWN_ADDRESS, asked) is not None
        buckets = sign_in_buckets(sent.email, address, known=known)
        await count(session, buckets)
        return buckets, (await session.execute(FOUND, {"email": sent.email})).one_or_none()


def sign_in_buckets(email: str, address: str, *, known: bool) -> list[Bucket]:
    """From an address where they signed in before, members wait for nobody but themselves."""
    near = neighbourhood(address)
    both = Bucket(f"sign-in|{email}|{near}", 5)
    if known:
        return [both]
    return [both, Bucket(f"sign-in|{email}", 20), Bucket(f"sign-in|from|{near}", 50)]


async def _opened(
    accounts: Accounts, session: AsyncSession, sent: Presented, found: Found, address: str
) -> Granted | ServiceError:
    """A password that changed since it was compared opens nothing."""
    asked = {"email": sent.email, "verified": found.hash}
    if (still := (await session.execute(UNCHANGED, asked)).one_or_none()) is None:
        return Unauthenticated(REFUSED)
    member_id, actor = MemberId(still.id), Actor(str(still.id), address)
    proven = await prove(session, accounts.sealer, member_id, sent.proof, actor)
    if proven is None:
        return SecondFactorRequired("Send a one-time code or a recovery code as well.")
    if not proven:
        return Unauthenticated(REFUSED)
    return await accounts.sessions.open(session, sent.tenant_id, member_id, proven, actor)
