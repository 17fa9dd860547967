"""What members do to their own account: the password, and one-time codes."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from service.chassis.application.accounts import PASSWORDS, STORE, Accounts, password_
from service.chassis.application.attempts import Bucket, count, forgive
from service.chassis.application.audit import Actor, record
from service.chassis.application.letters import password_changed
from service.chassis.application.members import Member
from service.chassis.application.passwords import require_strength
from service.chassis.application.second_factors import (
    BEGIN,
    CONFIRM,
    OF_MEMBER,
    REMOVE,
    REMOVE_CODES,
    enrolment_uri,
    keep_recovery_codes,
    new_recovery_codes,
    new_secret,
    spelled,
    take_code,
)
from service.chassis.application.session_rows import END_OF_MEMBER, session_
from service.chassis.application.tables import table_of
from service.chassis.application.tenancy import Tenancy
from service.chassis.application.ways_in import WITHDRAW_LETTERS
from service.chassis.errors import Conflict, Invalid, NotFound
from service.chassis.identity import Action, Permission
from service.chassis.intelligence.gateway import settle

USE_ACCOUNT = Permission("account", Action.READ)

member = table_of(Member).c
OWN = (
    select(member.email, password_.hash)
    .join(PASSWORDS, password_.member_id == member.id, isouter=True)
    .where(member.id == bindparam("member"))
)
SAME = select(password_.id).where(
    password_.member_id == bindparam("member"), password_.hash == bindparam("verified")
)
SAME = SAME.with_for_update()
END_OTHERS = END_OF_MEMBER.where(session_.id != bindparam("present"))


@asynccontextmanager
async def _kept(accounts: Accounts, tenancy: Tenancy) -> AsyncGenerator[AsyncSession]:
    """Stays, whatever the answer: a refusal under an idempotency key must not uncount a guess."""
    tenancy.caller.require(USE_ACCOUNT)
    # One connection at a time: who holds one and waits for another can wait for ever.
    await settle()
    async with accounts.database.transaction(tenancy.caller.tenant_id) as session:
        yield session


async def change_password(accounts: Accounts, tenancy: Tenancy, old: str, new: str) -> None:
    """Needs the old one; all other sessions end."""
    member_id = tenancy.caller.member_id
    tries = [Bucket(f"password|{member_id}", 5)]
    async with _kept(accounts, tenancy) as session:
        await count(session, tries)
        own = (await session.execute(OWN, {"member": member_id})).one()
    if not await accounts.passwords.matches(own.hash, old):
        async with _kept(accounts, tenancy) as session:
            await record(session, Actor.of(tenancy), "password.change_refused", member_id)
        raise Invalid("This is not your present password.", field="old")
    require_strength(new, (own.email,), field="new")
    hashed = await accounts.passwords.hash(new)
    async with tenancy.transaction(USE_ACCOUNT) as session:
        verified = {"member": member_id, "verified": own.hash}
        if await session.scalar(SAME, verified) is None:
            raise Conflict("The password was changed at the same time.")
        await session.execute(STORE, {"member": member_id, "new_hash": hashed})
        await session.execute(WITHDRAW_LETTERS, {"member": member_id})
        others = {"member": member_id, "present": tenancy.caller.session_id}
        await session.execute(END_OTHERS, {**others, "because": "password changed"})
        await forgive(session, tries)
        await record(session, Actor.of(tenancy), "password.changed", member_id)
    tenancy.afterwards(lambda: accounts.send_later(password_changed(own.email)))


@dataclass(frozen=True)
class Enrolment:
    """For the authenticator app: typed in, or as a QR code."""

    secret: str
    uri: str


async def enrol_totp(accounts: Accounts, tenancy: Tenancy) -> Enrolment:
    """Counts for nothing until a first code confirms it."""
    tenancy.caller.require_fresh_sign_in()
    member_id, secret = tenancy.caller.member_id, new_secret()
    sealed = accounts.sealer.seal(secret, member_id.bytes)
    values = {"member_id": member_id, "sealed_secret": sealed}
    async with tenancy.transaction(USE_ACCOUNT) as session:
        own = (await session.execute(OWN, {"member": member_id})).one()
        if (await session.execute(BEGIN, values)).one_or_none() is None:
            raise Conflict("One-time codes are on already; remove them first.")
        await record(session, Actor.of(tenancy), "totp.begun", member_id)
    return Enrolment(spelled(secret), enrolment_uri(secret, own.email))


async def confirm_totp(accounts: Accounts, tenancy: Tenancy, code: str) -> list[str]:
    """From now on sign-in asks for codes. The recovery codes are shown this once."""
    member_id, codes = tenancy.caller.member_id, new_recovery_codes()
    tries = [Bucket(f"totp|{member_id}", 5)]
    async with _kept(accounts, tenancy) as session:
        await count(session, tries)
    async with tenancy.transaction(USE_ACCOUNT) as session:
        factor = (await session.execute(OF_MEMBER, {"member": member_id})).one_or_none()
        if factor is None or factor.confirmed_at is not None:
            raise Conflict("There is nothing to confirm; begin anew.")
        if not await take_code(session, accounts.sealer, member_id, factor, code):
            raise Invalid("This code is not right; look at the clock of your device.", field="code")
        await session.execute(CONFIRM, {"member": member_id})
        await keep_recovery_codes(session, accounts.sealer, member_id, codes)
        await forgive(session, tries)
        await record(session, Actor.of(tenancy), "totp.enrolled", member_id)
    return codes


async def remove_totp(tenancy: Tenancy) -> None:
    """Only who proved lately who they are: a stolen session must not take the lock off."""
    tenancy.caller.require_fresh_sign_in()
    asked = {"member": tenancy.caller.member_id}
    async with tenancy.transaction(USE_ACCOUNT) as session:
        if (await session.execute(REMOVE, asked)).one_or_none() is None:
            raise NotFound("There are no one-time codes to remove.")
        await session.execute(REMOVE_CODES, asked)
        await record(session, Actor.of(tenancy), "totp.removed", tenancy.caller.member_id)
