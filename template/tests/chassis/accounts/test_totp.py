"""One-time codes: right, in time, never twice; recovery codes for when the device is lost."""

import asyncio
import re
import time
from base64 import b32decode

import pytest
from chassis.accounts.people import OTHER, PASSWORD, World, somewhere
from cryptography.exceptions import InvalidTag
from httpx2 import Response
from pydantic import SecretStr

from callers import KEY, Client
from service.chassis.application.factor_sealing import Sealer
from service.chassis.application.second_factors import STEP_SECONDS, code_at, new_recovery_codes


def code(secret: str, late: int = 0) -> str:
    """What an authenticator app shows, or showed so many steps ago."""
    return code_at(b32decode(secret), int(time.time()) // STEP_SECONDS - late)


async def enrolled(world: World, client: Client) -> tuple[str, list[str]]:
    """The secret and the recovery codes; the code that confirmed is used up."""
    secret: str = (await client.post("/v1/account/totp")).json()["secret"]
    body = {"code": code(secret, late=1)}
    confirmed = await client.post("/v1/account/totp/confirm", json=body)
    assert confirmed.status_code == 200, confirmed.text
    return secret, confirmed.json()["recovery_codes"]


async def with_code(world: World, email: str, sent: str) -> Response:
    return await world.sign_in(email, PASSWORD, totp=sent)


@pytest.mark.parametrize(
    ("at", "shown"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_codes_are_those_of_the_standard(at: int, shown: str) -> None:
    """RFC 6238, appendix B, the last six digits."""
    assert code_at(b"12345678901234567890", at // STEP_SECONDS) == shown


async def test_with_codes_on_a_password_is_not_enough(world: World) -> None:
    email = await world.member()
    client = await world.as_member(email)
    begun = (await client.post("/v1/account/totp")).json()
    assert begun["uri"].startswith("otpauth://totp/")
    assert begun["secret"] in begun["uri"]
    assert (await world.sign_in(email, PASSWORD)).status_code == 200, "not confirmed yet"
    secret, _ = await enrolled(world, client)
    asked = await world.sign_in(email, PASSWORD)
    assert asked.status_code == 401
    assert asked.json()["code"] == "second-factor-required"
    assert (await world.sign_in(email, OTHER)).json()["code"] == "unauthenticated"
    assert (await with_code(world, email, "000000")).json()["code"] == "unauthenticated"
    opened = await with_code(world, email, code(secret))
    assert opened.status_code == 200
    methods = await world.run("SELECT methods FROM sessions ORDER BY created_at DESC LIMIT 1")
    assert methods == ["pwd otp"]
    again = await client.post("/v1/account/totp")
    assert again.status_code == 409, "a stolen session does not replace the device"


async def test_a_code_is_good_once_even_for_ten_at_once(world: World) -> None:
    email = await world.member()
    secret, _ = await enrolled(world, await world.as_member(email))
    now, near = code(secret), somewhere()
    tried = (world.sign_in(email, PASSWORD, near, totp=now) for _ in range(5))
    codes = [answer.status_code for answer in await asyncio.gather(*tried)]
    assert codes.count(200) == 1
    assert (await with_code(world, email, now)).status_code == 401
    assert (await with_code(world, email, code(secret, late=1))).status_code == 401, "nor an older"
    assert (await with_code(world, email, code(secret, late=-1))).status_code == 200


@pytest.mark.parametrize(("late", "status"), [(2, 401), (-2, 401), (1, 200), (-1, 200)])
async def test_a_code_is_good_one_step_early_or_late(world: World, late: int, status: int) -> None:
    email = await world.member()
    secret, _ = await enrolled(world, await world.as_member(email))
    await world.run("UPDATE totp_factors SET last_step = 0")
    if time.time() % STEP_SECONDS > STEP_SECONDS - 5:
        await asyncio.sleep(6)
    assert (await with_code(world, email, code(secret, late))).status_code == status


async def test_guessing_codes_is_slowed_down_like_guessing_passwords(world: World) -> None:
    email, near = await world.member(), somewhere()
    await enrolled(world, await world.as_member(email))
    tries = [(await world.sign_in(email, PASSWORD, near, totp="000000")) for _ in range(6)]
    assert [answer.status_code for answer in tries] == [401] * 5 + [429]


async def test_a_recovery_code_replaces_the_device_once(world: World) -> None:
    email = await world.member()
    _, codes = await enrolled(world, await world.as_member(email))
    assert len(set(codes)) == 10
    typed = codes[0].lower().replace("-", " ")
    assert (await world.sign_in(email, PASSWORD, recovery_code=typed)).status_code == 200
    assert (await world.sign_in(email, PASSWORD, recovery_code=codes[0])).status_code == 401
    assert (await world.sign_in(email, OTHER, recovery_code=codes[1])).status_code == 401
    assert (await world.sign_in(email, PASSWORD, recovery_code=codes[1])).status_code == 200
    other = await world.member()
    await enrolled(world, await world.as_member(other))
    assert (await world.sign_in(other, PASSWORD, recovery_code=codes[2])).status_code == 401
    recorded = await world.events(await world.id_of(email))
    assert recorded.count("recovery_code.used") == 2


def test_a_recovery_code_is_too_long_to_guess() -> None:
    made = new_recovery_codes() + new_recovery_codes()
    assert all(re.fullmatch(r"([A-Z2-7]{4}-){6}[A-Z2-7]{4}", code) for code in made)
    letters = len(made[0].replace("-", ""))
    assert letters * 5 >= 128, "bits"
    # By chance: each letter of twenty codes at its place is not always the same one.
    assert all(len({code[at] for code in made}) > 1 for at in range(len(made[0])) if at % 5 != 4)


async def test_a_reset_leaves_the_second_factor_on(world: World) -> None:
    email = await world.member()
    secret, _ = await enrolled(world, await world.as_member(email))
    sent = {"token": await world.reset_token(email), "password": OTHER}
    reset = await world.post("/accounts/reset", sent)
    assert (reset.status_code, reset.content) == (204, b""), "it opens nothing by itself"
    asked = await world.sign_in(email, OTHER)
    assert asked.json()["code"] == "second-factor-required"
    assert (await world.sign_in(email, OTHER, totp=code(secret))).status_code == 200


async def test_codes_are_taken_off_by_their_owner(world: World) -> None:
    email = await world.member()
    client = await world.as_member(email)
    _, codes = await enrolled(world, client)
    assert (await client.delete("/v1/account/totp")).status_code == 204
    assert (await client.delete("/v1/account/totp")).status_code == 404
    assert (await world.sign_in(email, PASSWORD)).status_code == 200
    assert await world.run("SELECT count(*) FROM recovery_codes") == [0]
    recorded = await world.events(await world.id_of(email))
    assert recorded == ["totp.begun", "totp.enrolled", "totp.removed"]
    assert codes


async def test_confirming_takes_a_code_of_this_device(world: World) -> None:
    client = await world.as_member(await world.member())
    confirm = "/v1/account/totp/confirm"
    assert (await client.post(confirm, json={"code": "000000"})).status_code == 409
    await client.post("/v1/account/totp")
    wrong = await client.post(confirm, json={"code": "000000"})
    assert wrong.json()["fields"][0]["field"] == "code"


async def test_the_database_holds_neither_secret_nor_codes(world: World) -> None:
    secret, codes = await enrolled(world, await world.as_member(await world.member()))
    rows = await world.run("SELECT totp_factors::text FROM totp_factors")
    rows = [*rows, *await world.run("SELECT recovery_codes::text FROM recovery_codes")]
    assert len(rows) == 11
    plain = [b32decode(secret).hex(), secret, *codes]
    assert not [word for word in plain for row in rows if word in row]


def test_what_is_sealed_opens_with_the_key_and_for_its_owner_only() -> None:
    sealer, other = Sealer(SecretStr(KEY)), Sealer(SecretStr(KEY[::-1]))
    sealed = sealer.seal(b"secret", b"ana")
    assert sealer.unseal(sealed, b"ana") == b"secret"
    assert sealed != sealer.seal(b"secret", b"ana")
    for opener, owner in ((sealer, b"ben"), (other, b"ana")):
        with pytest.raises(InvalidTag):
            opener.unseal(sealed, owner)
