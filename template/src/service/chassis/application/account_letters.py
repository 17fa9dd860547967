"""What a letter does: an invitation, a new password, a new address."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import IntegrityError

from service.chassis.application.accounts import STORE, Accounts
from service.chassis.application.attempts import Bucket, count, neighbourhood
from service.chassis.application.audit import STRANGER, Actor, record
from service.chassis.application.letters import address_changed, letter_with_token, password_changed
from service.chassis.application.members import JOIN, Member, MemberRow
from service.chassis.application.one_time import OneTime, Purpose, TokenRow, issue, see, spend
from service.chassis.application.passwords import require_strength
from service.chassis.application.session_rows import END_OF_MEMBER
from service.chassis.application.tables import OPEN_TENANT, table_of
from service.chassis.application.tenancy import Tenancy
from service.chassis.application.ways_in import WITHDRAW_LETTERS
from service.chassis.errors import Conflict, Invalid, NotFound
from service.chassis.identity import Action, Permission, TenantId

USE_ACCOUNT = Permission("account", Action.READ)
ADMINISTER_MEMBERS = Permission("members", Action.ADMINISTER)
WORTHLESS = "This link is not valid, or no longer."

member = table_of(Member).c
BY_EMAIL = select(member.id).where(member.email == bindparam("email"), member.state == "active")
INVITED = select(member.email, member.state).where(member.id == bindparam("member"))
MOVE = update(Member).where(member.id == bindparam("member"))
MOVE = MOVE.values(email=bindparam("new_email"))


@dataclass(frozen=True)
class NewPassword:
    """Setting a password with a letter: who may, and what it is called afterwards."""

    purpose: Purpose
    state: str
    event: str


RESET = NewPassword(Purpose.RESET, "active", "password.reset")
ACCEPT = NewPassword(Purpose.INVITATION, "invited", "invitation.accepted")


async def request_reset(accounts: Accounts, tenant_id: TenantId, email: str, address: str) -> None:
    """Counts, and answers; whether there is such a member is only looked up after that."""
    async with accounts.database.transaction(tenant_id) as session:
        if await session.scalar(OPEN_TENANT) is None:
            return
        near = neighbourhood(address)
        both = Bucket(f"reset|{email}|{near}", 3)
        await count(session, [both, Bucket(f"reset|{email}", 10), Bucket(f"reset|from|{near}", 30)])
    accounts.background.start(_send_reset(accounts, tenant_id, email, address))


async def _send_reset(accounts: Accounts, tenant_id: TenantId, email: str, address: str) -> None:
    async with accounts.database.transaction(tenant_id) as session:
        if (found := await session.scalar(BY_EMAIL, {"email": email})) is None:
            return
        token = await issue(session, tenant_id, found, Purpose.RESET, email)
        await record(session, Actor(STRANGER, address), "password.reset_requested", found)
    await accounts.mailbox.send(letter_with_token(Purpose.RESET, email, accounts.public_url, token))


def tell_invited(accounts: Accounts, tenancy: Tenancy, invited: MemberRow) -> None:
    """The letter, after the answer."""
    _send_later(accounts, tenancy, invited.id, invited.email)


def _send_later(accounts: Accounts, tenancy: Tenancy, member_id: UUID, email: str) -> None:
    """Not before the invitation is there for others to see."""
    sent = accounts, tenancy.caller.tenant_id, Actor.of(tenancy), member_id, email
    tenancy.afterwards(lambda: accounts.background.start(send_invitation(*sent)))


def tell_nobody(_tenancy: Tenancy, _invited: MemberRow) -> None:
    """Without accounts there is no letter: their provider vouches for the address."""


async def send_invitation(
    accounts: Accounts, tenant_id: TenantId, actor: Actor, member_id: UUID, email: str
) -> None:
    async with accounts.database.transaction(tenant_id) as session:
        token = await issue(session, tenant_id, member_id, Purpose.INVITATION, email)
        await record(session, actor, "invitation.sent", member_id)
    await accounts.mailbox.send(
        letter_with_token(Purpose.INVITATION, email, accounts.public_url, token)
    )


async def invite_again(accounts: Accounts, tenancy: Tenancy, member_id: UUID) -> None:
    """A new letter; the link in the one before is good no more."""
    async with tenancy.transaction(ADMINISTER_MEMBERS) as session:
        found = (await session.execute(INVITED, {"member": member_id})).one_or_none()
        if found is None:
            raise NotFound("There is no such member.")
        if found.state != "invited":
            raise Conflict("They have joined already.")
        await count(session, [Bucket(f"invitation|{member_id}", 3)])
    _send_later(accounts, tenancy, member_id, found.email)


async def set_password(
    accounts: Accounts, what: NewPassword, sent: str, password: str, address: str
) -> None:
    """With the token from a letter; all sessions of the member end."""
    token = OneTime.parse(sent)
    async with accounts.database.transaction(token.tenant_id) as session:
        seen = await see(session, token, what.purpose)
    _require_state(what, seen)
    require_strength(password, (seen.email,))
    hashed = await accounts.passwords.hash(password)
    async with accounts.database.transaction(token.tenant_id) as session:
        # Once more, because two may hold the same letter.
        _require_state(what, await see(session, token, what.purpose))
        # What was seen may be from before another one's commit; what is deleted is not.
        spent = await spend(session, token, what.purpose)
        await session.execute(STORE, {"member": spent.member_id, "new_hash": hashed})
        await session.execute(WITHDRAW_LETTERS, {"member": spent.member_id})
        await session.execute(END_OF_MEMBER, {"member": spent.member_id, "because": what.event})
        if what.state == "invited":
            await session.execute(JOIN, {"member_id": spent.member_id})
        actor = Actor(str(spent.member_id), address)
        await record(session, actor, what.event, spent.member_id)
    if what is RESET:
        accounts.send_later(password_changed(spent.email))


def _require_state(what: NewPassword, seen: TokenRow) -> None:
    """A letter is worth nothing any more when the address or the state has changed since."""
    if seen.state != what.state or seen.email != seen.present:
        raise Invalid(WORTHLESS, field="token")


async def request_new_email(accounts: Accounts, tenancy: Tenancy, email: str) -> None:
    """It becomes the address when somebody who reads it follows the link."""
    tenancy.caller.require_fresh_sign_in()
    tenant_id, member_id = tenancy.caller.tenant_id, tenancy.caller.member_id
    async with tenancy.transaction(USE_ACCOUNT) as session:
        await count(session, [Bucket(f"email|{member_id}", 5)])
        token = await issue(session, tenant_id, member_id, Purpose.EMAIL, email)
        await record(session, Actor.of(tenancy), "email.change_requested", member_id)
    letter = letter_with_token(Purpose.EMAIL, email, accounts.public_url, token)
    tenancy.afterwards(lambda: accounts.send_later(letter))


async def verify_email(accounts: Accounts, sent: str, address: str) -> None:
    """The address before hears of it, too."""
    token = OneTime.parse(sent)
    try:
        async with accounts.database.transaction(token.tenant_id) as session:
            seen = await see(session, token, Purpose.EMAIL)
            if seen.state != "active":
                raise Invalid(WORTHLESS, field="token")
            spent = await spend(session, token, Purpose.EMAIL)
            moved = {"member": spent.member_id, "new_email": spent.email}
            await session.execute(MOVE, moved)
            actor = Actor(str(spent.member_id), address)
            await record(session, actor, "email.verified", spent.member_id)
    except IntegrityError as error:
        raise Conflict("Another member has this address.") from error
    accounts.send_later(address_changed(seen.present))
