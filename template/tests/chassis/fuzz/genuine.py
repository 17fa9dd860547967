"""What no document can tell a stranger: the secrets and the rows with which a request succeeds."""

import time
from base64 import b32decode
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from chassis.accounts.authenticator import Authenticator
from chassis.accounts.people import OTHER, PASSWORD
from chassis.fuzz.agreeable import NAME, code_for
from chassis.fuzz.stage import Stage
from chassis.sign_in.browser import parameters
from chassis.wall.devices import asked_run

from callers import Client
from service.chassis.application.one_time import Purpose, issue
from service.chassis.application.second_factors import STEP_SECONDS, code_at
from service.chassis.contract.same_origin import REFRESH

Parts = Mapping[str, Any]


@dataclass(frozen=True)
class Genuine:
    """Takes the place of what was made up."""

    body: Parts = field(default_factory=dict)
    path_parameters: Parts = field(default_factory=dict)
    query: Parts = field(default_factory=dict)
    headers: Parts = field(default_factory=dict)


async def refresh_token(stage: Stage) -> Genuine:
    return Genuine(body={"refresh_token": stage.granted.refresh_token})


async def refresh_cookie(stage: Stage) -> Genuine:
    cookie = f"{REFRESH}={stage.granted.refresh_token}"
    return Genuine(headers={"cookie": cookie, "sec-fetch-site": "same-origin"})


async def password(stage: Stage) -> Genuine:
    await stage.with_password()
    who = {"tenant": str(stage.world.tenant), "email": stage.person.email}
    return Genuine(body={**who, "password": PASSWORD})


async def both_passwords(stage: Stage) -> Genuine:
    await stage.with_password()
    return Genuine(body={"old": PASSWORD, "new": OTHER})


async def letter(purpose: Purpose, stage: Stage) -> Genuine:
    world, email = stage.world, stage.person.email
    member_id: Any = stage.granted.member_id
    if purpose is Purpose.INVITATION:
        email = await world.member("invited", hashed=stage.hashed)
        member_id = await world.id_of(email)
    to = f"{uuid4().hex}@example.org" if purpose is Purpose.EMAIL else email
    async with world.accounts.database.transaction(world.tenant) as session:
        token = await issue(session, world.tenant, member_id, purpose, to)
    new = {} if purpose is Purpose.EMAIL else {"password": OTHER}
    return Genuine(body={"token": str(token), **new})


async def invited(stage: Stage) -> Genuine:
    email = await stage.world.member("invited", hashed=stage.hashed)
    return Genuine(path_parameters={"member_id": str(await stage.world.id_of(email))})


async def first_code(stage: Stage) -> Genuine:
    begun = await stage.asked("POST", "/account/totp")
    step = int(time.time()) // STEP_SECONDS
    return Genuine(body={"code": code_at(b32decode(begun["secret"]), step)})


async def begun_codes(stage: Stage) -> Genuine:
    await stage.asked("POST", "/account/totp")
    return Genuine()


def _device(stage: Stage) -> Authenticator:
    url = stage.world.accounts.public_url
    return Authenticator(url, urlsplit(url).hostname or "")


async def new_passkey(stage: Stage) -> Genuine:
    options = await stage.asked("POST", "/account/passkeys/begin")
    return Genuine(body={"credential": _device(stage).create(options)})


async def _registered(stage: Stage, device: Authenticator) -> str:
    options = await stage.asked("POST", "/account/passkeys/begin")
    body = {"name": "a key", "credential": device.create(options)}
    added = await stage.asked("POST", "/account/passkeys", body)
    return str(added["id"])


async def own_passkey(stage: Stage) -> Genuine:
    return Genuine(path_parameters={"passkey_id": await _registered(stage, _device(stage))})


async def passkey(stage: Stage) -> Genuine:
    device, tenant = _device(stage), str(stage.world.tenant)
    await _registered(stage, device)
    device.counter += 1
    options = await stage.asked("POST", "/sign-in/passkey/begin", {"tenant": tenant})
    return Genuine(body={"tenant": tenant, "credential": device.get(options)})


async def provider(stage: Stage) -> Genuine:
    return Genuine(path_parameters={"tenant_id": str(stage.world.tenant), "provider": NAME})


async def approved(stage: Stage) -> Genuine:
    """Sent away to the provider, and back with its consent."""
    away = await Client(stage.world.app, None).get(f"/v1/sign-in/{stage.world.tenant}/{NAME}")
    email = await stage.world.member("invited", hashed=stage.hashed)
    question = parameters(away.headers["location"])
    (known,) = stage.world.app.settings.identity.providers
    said = {"code": code_for(email, question["nonce"]), "state": question["state"]}
    cookie = {"cookie": away.headers["set-cookie"].partition(";")[0]}
    return Genuine(
        path_parameters={"key": NAME}, query={**said, "iss": known.issuer}, headers=cookie
    )


async def own_session(stage: Stage) -> Genuine:
    return Genuine(path_parameters={"session_id": str(stage.granted.session_id)})


async def api_key(stage: Stage) -> Genuine:
    asked = {"name": "a machine", "role": "viewer", "scopes": ["notes:read"]}
    made = await stage.asked("POST", "/api-keys", asked)
    return Genuine(path_parameters={"key_id": made["id"]})


async def other_member(stage: Stage) -> Genuine:
    email = await stage.world.member(hashed=stage.hashed)
    return Genuine(path_parameters={"member_id": str(await stage.world.id_of(email))})


async def own_run(stage: Stage) -> Genuine:
    return Genuine(path_parameters={"run_id": await asked_run(stage.person, "a text")})


GENUINE: Mapping[str, Callable[[Stage], Awaitable[Genuine]]] = {
    "POST /v1/sessions/refresh": refresh_token,
    "POST /v1/browser/refresh": refresh_cookie,
    "DELETE /v1/sessions/{session_id}": own_session,
    "GET /v1/runs/{run_id}": own_run,
    "GET /v1/runs/{run_id}/events": own_run,
    "POST /v1/runs/{run_id}/cancel": own_run,
    "GET /v1/runs/{run_id}/decision": own_run,
    "PUT /v1/runs/{run_id}/feedback": own_run,
    "GET /v1/runs/{run_id}/escalation": own_run,
    "POST /v1/runs/{run_id}/escalation": own_run,
    "POST /v1/runs/{run_id}/escalation/take": own_run,
    "POST /v1/runs/{run_id}/escalation/settle": own_run,
    "POST /v1/sign-in/password": password,
    "PUT /v1/account/password": both_passwords,
    "POST /v1/accounts/reset": partial(letter, Purpose.RESET),
    "POST /v1/accounts/accept-invitation": partial(letter, Purpose.INVITATION),
    "POST /v1/accounts/verify-email": partial(letter, Purpose.EMAIL),
    "POST /v1/members/{member_id}/invitation-letter": invited,
    "POST /v1/members/{member_id}/disable": other_member,
    "POST /v1/members/{member_id}/enable": other_member,
    "POST /v1/members/{member_id}/sign-out": other_member,
    "PUT /v1/members/{member_id}/role": other_member,
    "POST /v1/account/totp/confirm": first_code,
    "DELETE /v1/account/totp": begun_codes,
    "POST /v1/account/passkeys": new_passkey,
    "DELETE /v1/account/passkeys/{passkey_id}": own_passkey,
    "POST /v1/sign-in/passkey": passkey,
    "GET /v1/sign-in/{tenant_id}/{provider}": provider,
    "GET /v1/sign-in/callback/{key}": approved,
    "POST /v1/api-keys/{key_id}/rotate": api_key,
    "DELETE /v1/api-keys/{key_id}": api_key,
}
