"""The two ceremonies of passkeys: making one, and signing in with it."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from service.chassis.application.account_letters import USE_ACCOUNT
from service.chassis.application.accounts import Accounts
from service.chassis.application.attempts import Bucket, count
from service.chassis.application.audit import STRANGER, Actor, record
from service.chassis.application.members import Member
from service.chassis.application.passkeys import (
    ADD,
    PRESENTED,
    REFUSED,
    REMOVE,
    USED,
    Ceremony,
    Credential,
    PasskeyRow,
    RelyingParty,
    challenge_in,
    keep_challenge,
    new_challenge,
    passkeys_of,
    spend_challenge,
)
from service.chassis.application.sessions import Granted
from service.chassis.application.tables import OPEN_TENANT
from service.chassis.application.tenancy import Tenancy
from service.chassis.errors import Conflict, Invalid, NotFound, Unauthenticated
from service.chassis.identity import MemberId, TenantId

AT_MOST = 20
VERIFIED = UserVerificationRequirement.REQUIRED
CHOSEN = AuthenticatorSelectionCriteria(
    resident_key=ResidentKeyRequirement.REQUIRED, user_verification=VERIFIED
)

Options = dict[str, Any]


def _registration(member_id: MemberId) -> str:
    return f"{Ceremony.REGISTRATION} {member_id}"


async def begin_registration(accounts: Accounts, tenancy: Tenancy) -> Options:
    """What a browser hands to `navigator.credentials.create`."""
    tenancy.caller.require_fresh_sign_in()
    party, challenge = RelyingParty(accounts.public_url), new_challenge()
    tenant_id, member_id = tenancy.caller.tenant_id, tenancy.caller.member_id
    async with tenancy.transaction(USE_ACCOUNT) as session:
        member = await session.get_one(Member, (tenant_id, member_id))
        await count(session, [Bucket(f"passkey|{member_id}", 50)])
        await keep_challenge(session, _registration(member_id), challenge)
    options = generate_registration_options(
        rp_id=party.id,
        rp_name=party.name,
        user_id=member_id.bytes,
        user_name=member.email,
        user_display_name=member.name,
        challenge=challenge,
        authenticator_selection=CHOSEN,
    )
    made: Options = json.loads(options_to_json(options))
    return made


async def finish_registration(
    accounts: Accounts, tenancy: Tenancy, name: str, credential: Credential
) -> PasskeyRow:
    tenancy.caller.require_fresh_sign_in()
    member_id, challenge = tenancy.caller.member_id, challenge_in(credential)
    async with tenancy.transaction(USE_ACCOUNT) as session:
        fresh = await spend_challenge(session, _registration(member_id), challenge)
    verified = _verified_registration(accounts, credential, challenge) if fresh else None
    if verified is None:
        raise Invalid(REFUSED, field="credential")
    values = {"member_id": member_id, "name": name, **verified}
    async with tenancy.transaction(USE_ACCOUNT) as session:
        if len(await passkeys_of(session, member_id)) >= AT_MOST:
            raise Conflict(f"{AT_MOST} passkeys are enough; remove one first.")
        added = (await session.execute(ADD.values(values))).one_or_none()
        if added is None:
            raise Conflict("This passkey is registered already.")
        await record(session, Actor.of(tenancy), "passkey.added", member_id, name)
    return added


def _verified_registration(
    accounts: Accounts, credential: Credential, challenge: bytes
) -> dict[str, Any] | None:
    party = RelyingParty(accounts.public_url)
    try:
        verified = verify_registration_response(
            credential=dict(credential),
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    except Exception:  # noqa: BLE001  made up by a stranger; whatever it does to parsers
        return None
    return {
        "credential_id": verified.credential_id,
        "public_key": verified.credential_public_key,
        "sign_count": verified.sign_count,
    }


async def list_passkeys(tenancy: Tenancy) -> Sequence[PasskeyRow]:
    async with tenancy.transaction(USE_ACCOUNT) as session:
        return await passkeys_of(session, tenancy.caller.member_id)


async def remove_passkey(tenancy: Tenancy, passkey_id: UUID) -> None:
    tenancy.caller.require_fresh_sign_in()
    member_id = tenancy.caller.member_id
    async with tenancy.transaction(USE_ACCOUNT) as session:
        asked = {"passkey": passkey_id, "member": member_id}
        if (await session.execute(REMOVE, asked)).one_or_none() is None:
            raise NotFound("There is no such passkey.")
        await record(session, Actor.of(tenancy), "passkey.removed", member_id, str(passkey_id))


async def begin_sign_in(accounts: Accounts, tenant_id: TenantId) -> Options:
    """The same for every tenant, there or not: the browser finds out whose passkeys it has."""
    party, challenge = RelyingParty(accounts.public_url), new_challenge()
    async with accounts.database.transaction(tenant_id) as session:
        if await session.scalar(OPEN_TENANT) is not None:
            await keep_challenge(session, Ceremony.SIGN_IN, challenge)
    options = generate_authentication_options(
        rp_id=party.id, challenge=challenge, user_verification=VERIFIED
    )
    made: Options = json.loads(options_to_json(options))
    return made


async def finish_sign_in(
    accounts: Accounts, tenant_id: TenantId, credential: Credential, address: str
) -> Granted:
    """A passkey is two factors at once: the device, and what it asked of its holder."""
    challenge, granted = challenge_in(credential), None
    async with accounts.database.transaction(tenant_id) as session:
        if await session.scalar(OPEN_TENANT) is None:
            raise Unauthenticated(REFUSED)
        fresh = await spend_challenge(session, Ceremony.SIGN_IN, challenge)
        asked = {"credential": _credential_id(credential)}
        found = (await session.execute(PRESENTED, asked)).one_or_none()
        counted = _counted(accounts, credential, challenge, found) if fresh and found else None
        if found is not None and counted is not None:
            member_id = MemberId(found.member_id)
            await session.execute(USED, {"passkey": found.id, "counted": counted})
            actor = Actor(str(member_id), address)
            granted = await accounts.sessions.open(session, tenant_id, member_id, "passkey", actor)
    if granted is None:
        stranger, target = Actor(STRANGER, address), found.member_id if found else ""
        await accounts.denials.record(tenant_id, stranger, "sign_in.failed", target, "passkey")
        raise Unauthenticated(REFUSED)
    return granted


def _credential_id(credential: Credential) -> bytes:
    try:
        return base64url_to_bytes(credential["rawId"])
    except ValueError as error:
        raise Invalid(REFUSED, field="credential") from error


def _counted(
    accounts: Accounts, credential: Credential, challenge: bytes, known: PasskeyRow
) -> int | None:
    """The counter of the device; nothing if the proof does not hold."""
    party = RelyingParty(accounts.public_url)
    try:
        verified = verify_authentication_response(
            credential=dict(credential),
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=known.public_key,
            credential_current_sign_count=known.sign_count,
            require_user_verification=True,
        )
    except Exception:  # noqa: BLE001  made up by a stranger; whatever it does to parsers
        return None
    return verified.new_sign_count
