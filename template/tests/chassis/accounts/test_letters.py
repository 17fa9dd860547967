"""What a letter carries is good once, for one purpose, in one tenant, and not for long."""

import asyncio
import re
from dataclasses import replace
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from chassis.accounts.people import OTHER, PASSWORD, World, somewhere
from chassis.wall.matrix import shape

from callers import ClientFor
from service.chassis.application.account_letters import request_reset
from service.chassis.application.mail import Letter
from service.chassis.application.system import SystemDoor, create_tenant
from service.chassis.identity import Role, TenantId

RESET, ACCEPT = "/accounts/reset", "/accounts/accept-invitation"


async def invited(world: World, client_for: ClientFor) -> str:
    email = f"{uuid4().hex}@example.org"
    client = client_for(world.tenant, Role.ADMIN)
    body = {"email": email, "name": "Ida", "role": "viewer"}
    assert (await client.post("/v1/members", json=body)).status_code == 201
    return email


@pytest.mark.example
async def test_an_invitation_leads_to_a_password_and_that_into_the_service(
    world: World, client_for: ClientFor
) -> None:
    email = await invited(world, client_for)
    token = await world.token(email)
    accepted = await world.post(ACCEPT, {"token": token, "password": PASSWORD})
    assert accepted.status_code == 204
    client = await world.as_member(email)
    assert (await client.get("/v1/notes")).status_code == 200
    target = await world.id_of(email)
    assert await world.events(target) == [
        "member.invited",
        "invitation.sent",
        "invitation.accepted",
    ]


@pytest.mark.example
async def test_a_reset_sets_the_password_ends_all_sessions_and_tells_the_owner(
    world: World,
) -> None:
    email = await world.member()
    before = await world.as_member(email)
    assert (await before.get("/v1/notes")).status_code == 200
    token = await world.reset_token(email)
    assert (await world.post(RESET, {"token": token, "password": OTHER})).status_code == 204
    assert await world.run("SELECT count(*) FROM sessions WHERE ended_at IS NULL") == [0]
    assert (await world.sign_in(email, PASSWORD)).status_code == 401
    assert (await world.sign_in(email, OTHER)).status_code == 200
    assert "was changed" in str((await world.letters(email))[-1]["subject"])
    recorded = await world.events(await world.id_of(email))
    assert recorded == ["password.reset_requested", "password.reset", "sign_in.failed"]


@pytest.mark.case("A-18")
async def test_a_token_is_good_once_even_for_ten_at_once(world: World) -> None:
    email = await world.member()
    token = await world.reset_token(email)
    used = (world.post(RESET, {"token": token, "password": f"{OTHER} {n}"}) for n in range(10))
    codes = sorted(answer.status_code for answer in await asyncio.gather(*used))
    assert codes == [204] + [422] * 9
    again = await world.post(RESET, {"token": token, "password": OTHER})
    assert again.json()["fields"][0]["field"] == "token"


@pytest.mark.case("A-18")
async def test_a_token_expires(world: World) -> None:
    email = await world.member()
    token = await world.reset_token(email)
    await world.run("UPDATE one_time_tokens SET expires_at = now() - interval '1 second'")
    assert (await world.post(RESET, {"token": token, "password": OTHER})).status_code == 422
    await world.run("UPDATE one_time_tokens SET expires_at = now() + interval '1 second'")
    assert (await world.post(RESET, {"token": token, "password": OTHER})).status_code == 204


@pytest.mark.case("A-18")
async def test_a_new_letter_makes_the_old_one_worthless(world: World) -> None:
    email = await world.member()
    first, second = await world.reset_token(email), await world.reset_token(email)
    assert first != second
    assert (await world.post(RESET, {"token": first, "password": OTHER})).status_code == 422
    assert (await world.post(RESET, {"token": second, "password": OTHER})).status_code == 204


@pytest.mark.case("A-18")
async def test_a_token_is_for_one_purpose_one_tenant_and_one_address(
    world: World, client_for: ClientFor, rival: TenantId
) -> None:
    email = await world.member()
    token = await world.reset_token(email)
    elsewhere = token.replace(world.tenant.hex, rival.hex)
    guessed = token[:-1] + ("A" if token[-1] != "A" else "B")
    for path, sent in ((ACCEPT, token), (RESET, elsewhere), (RESET, guessed), (RESET, "ot_x")):
        answer = await world.post(path, {"token": sent, "password": OTHER})
        assert answer.status_code == 422, path
    assert (await world.post("/accounts/verify-email", {"token": token})).status_code == 422
    guest = await invited(world, client_for)
    invitation = await world.token(guest)
    wrong = await world.post(RESET, {"token": invitation, "password": OTHER})
    assert wrong.status_code == 422
    await world.run("UPDATE members SET email = 'moved@example.org' WHERE email = :e", e=guest)
    late = await world.post(ACCEPT, {"token": invitation, "password": OTHER})
    assert late.status_code == 422
    assert (await world.post(RESET, {"token": token, "password": OTHER})).status_code == 204


@pytest.mark.case("A-18")
async def test_who_was_disabled_since_does_not_come_back_by_letter(world: World) -> None:
    email = await world.member()
    token = await world.reset_token(email)
    for state, code in (("disabled", 422), ("invited", 422), ("active", 204)):
        await world.run("UPDATE members SET state = :s WHERE email = :e", s=state, e=email)
        answer = await world.post(RESET, {"token": token, "password": OTHER})
        assert answer.status_code == code


async def test_a_weak_password_does_not_spend_the_letter(world: World) -> None:
    email = await world.member()
    token = await world.reset_token(email)
    weak = await world.post(RESET, {"token": token, "password": email})
    assert weak.json()["fields"][0]["field"] == "password"
    assert (await world.post(RESET, {"token": token, "password": OTHER})).status_code == 204


@pytest.mark.case("A-18")
async def test_the_link_leads_to_the_address_that_was_set_whatever_the_request_says(
    world: World,
) -> None:
    email = await world.member()
    asked = {"tenant": str(world.tenant), "email": email}
    poison = {"host": "evil.example", "x-forwarded-host": "evil.example", "forwarded": "host=evil"}
    sent = await world.post("/accounts/reset-letter", asked, headers=poison)
    assert sent.status_code == 204
    text = (await world.letters(email))[-1].get_content()
    assert f"{world.accounts.public_url}/reset-password#ot_" in text
    assert "evil" not in text


async def test_a_letters_token_is_sent_to_no_server(world: World) -> None:
    email = await world.member()
    token = await world.reset_token(email)
    (link,) = re.findall(r"https?://\S+", (await world.letters(email))[-1].get_content())
    parts = urlsplit(link)
    assert parts.fragment == token
    assert token not in f"{parts.netloc}{parts.path}{parts.query}"


async def test_the_database_holds_no_token(world: World) -> None:
    email = await world.member()
    secret = (await world.reset_token(email))[-43:]
    (row,) = await world.run("SELECT one_time_tokens::text FROM one_time_tokens")
    assert secret not in row
    assert secret.encode().hex() not in row


@pytest.mark.case("A-17")
async def test_a_reset_answers_the_same_whoever_is_named(world: World, door: SystemDoor) -> None:
    other = await create_tenant(door, actor="tests", name="other")
    known, address = await world.member(), somewhere()
    named = [
        (world.tenant, known),
        (world.tenant, f"{uuid4().hex}@example.org"),
        (world.tenant, await world.member("disabled")),
        (other, known),
        (uuid4(), known),
    ]
    answers = [
        await world.post("/accounts/reset-letter", {"tenant": str(tenant), "email": email}, address)
        for tenant, email in named
    ]
    assert [shape(answer) for answer in answers] == [shape(answers[0])] * len(named)
    assert len(await world.letters(known)) == 1


class Stuck:
    """A mail server that takes its time."""

    def __init__(self) -> None:
        self.taken, self.sent = asyncio.Event(), list[str]()

    async def send(self, letter: Letter) -> None:
        await self.taken.wait()
        self.sent.append(letter.to)


@pytest.mark.case("A-17")
async def test_no_answer_waits_for_a_letter(world: World) -> None:
    slow, email = Stuck(), await world.member()
    accounts = replace(world.accounts, mailbox=slow)
    asked = request_reset(accounts, world.tenant, email, somewhere())
    await asyncio.wait_for(asked, timeout=20)
    assert not slow.sent
    slow.taken.set()
    await accounts.background.drain()
    assert slow.sent == [email]


@pytest.mark.case("R-08")
async def test_a_thousand_letters_to_one_address_are_ten_at_most(world: World) -> None:
    email = await world.member()
    asked = {"tenant": str(world.tenant), "email": email}
    near = somewhere()
    codes = [
        (await world.post("/accounts/reset-letter", asked, near)).status_code for _ in range(5)
    ]
    assert codes == [204] * 3 + [429] * 2
    codes += [(await world.post("/accounts/reset-letter", asked)).status_code for _ in range(30)]
    assert 10 <= codes.count(204) <= 13
    assert len(await world.letters(email)) == codes.count(204)


@pytest.mark.case("R-08")
async def test_a_thousand_letters_to_a_thousand_addresses_are_thirty_at_most(world: World) -> None:
    near, codes = somewhere(), []
    for n in range(40):
        asked = {"tenant": str(world.tenant), "email": f"{n}@example.org"}
        codes.append((await world.post("/accounts/reset-letter", asked, near)).status_code)
    assert 30 <= codes.count(204) <= 33


async def test_an_invitation_is_sent_again_to_who_has_not_joined(
    world: World, client_for: ClientFor
) -> None:
    email = await invited(world, client_for)
    first = await world.token(email)
    path = f"/v1/members/{await world.id_of(email)}/invitation-letter"
    admin = client_for(world.tenant, Role.ADMIN)
    assert [(await admin.post(path)).status_code for _ in range(4)] == [204, 204, 204, 429]
    second = await world.token(email)
    assert (await world.post(ACCEPT, {"token": first, "password": PASSWORD})).status_code == 422
    assert (await world.post(ACCEPT, {"token": second, "password": PASSWORD})).status_code == 204
    assert (await admin.post(path)).status_code == 409
    nobody = await admin.post(f"/v1/members/{uuid4()}/invitation-letter")
    assert nobody.status_code == 404
