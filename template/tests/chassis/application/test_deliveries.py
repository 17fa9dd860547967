"""What is signed here is what others verify; and a target is judged when it is called."""

import asyncio
from base64 import b64encode
from itertools import cycle

import pytest
from sqlalchemy import func, select, text

from service.chassis.application.database import Database
from service.chassis.application.tenancy import Tenancy
from service.chassis.application.webhooks import (
    DELIVERIES,
    Delivery,
    Endpoint,
    SigningSecrets,
    arrives_first,
    deliver,
)
from service.chassis.errors import AddressRefused, AddressUnreachable
from service.chassis.identity import Caller, Role, TenantId
from strangers import Names, outbound, redirect, stranger

SECRET = "whsec_" + b64encode(bytes(range(24))).decode()
SECRETS = SigningSecrets.of(SECRET)
BODY = b'{"test": 2432232314}'


def test_it_is_the_scheme_that_others_use() -> None:
    """Worked out with openssl, not with this code."""
    signed = SECRETS.signed("msg_1", 1614265330, BODY)
    assert signed == {
        "webhook-id": "msg_1",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,daJC9zjteVUEcGf6sESvuljSVDEsnQ3shawBrSwYgzU=",
    }


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_AAAA", "whsec_!!", "whsec_" + "A" * 200])
def test_a_secret_that_is_none_is_refused(secret: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the decoder's words or ours
        SigningSecrets.of(secret)


async def test_what_is_delivered_can_be_verified_by_both_secrets_of_a_rotation() -> None:
    new = SigningSecrets.of("whsec_" + b64encode(b"n" * 32).decode())
    names = Names(hook_test=[["127.0.0.1"]])
    async with stranger() as server, outbound(names, server.port) as client:
        both = SigningSecrets((*new.keys, *SECRETS.keys))
        url = f"http://hook.test:{server.port}/in"
        await deliver(client, Endpoint(url, both), "evt_1", BODY)
    lines = (line.partition(": ") for line in server.heads[0].split("\r\n"))
    headers = {name.lower(): value for name, _, value in lines}
    assert server.bodies == [BODY]
    assert headers["content-type"] == "application/json"
    for secrets in (new, SECRETS):
        at = float(headers["webhook-timestamp"])
        assert secrets.verified(headers, server.bodies[0], at) == "evt_1"


@pytest.mark.parametrize("status", ["301 Moved", "400 Bad", "500 No"])
async def test_an_answer_that_is_no_yes_is_no_delivery(status: str) -> None:
    names = Names(hook_test=[["127.0.0.1"]])
    answer = f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()
    async with stranger(answer) as server, outbound(names, server.port) as client:
        with pytest.raises(AddressUnreachable, match=status[:3]):
            await deliver(client, Endpoint(f"http://hook.test:{server.port}/", SECRETS), "e", BODY)
    assert len(server.heads) == 1


@pytest.mark.case("V-11", "V-10")
async def test_a_delivery_does_not_follow_its_target_inside() -> None:
    names = Names(hook_test=[["127.0.0.1"]])
    async with stranger(host="127.0.0.2") as inner:
        away = redirect(f"http://127.0.0.2:{inner.port}/")
        async with stranger(away) as server, outbound(names, server.port, inner.port) as client:
            endpoint = Endpoint(f"http://hook.test:{server.port}/", SECRETS)
            with pytest.raises(AddressUnreachable, match="302"):
                await deliver(client, endpoint, "evt_1", BODY)
    assert inner.heads == []


@pytest.mark.case("V-11")
async def test_a_name_that_turned_inside_after_it_was_accepted_gets_nothing() -> None:
    async with stranger() as server, stranger(host="127.0.0.2") as inner:
        names = Names(hook_test=[["127.0.0.1"], ["127.0.0.1"], ["127.0.0.2"]])
        async with outbound(names, server.port, inner.port) as client:
            url = f"http://hook.test:{inner.port}/"
            await client.check(url)
            await deliver(client, Endpoint(f"http://hook.test:{server.port}/", SECRETS), "1", BODY)
            with pytest.raises(AddressRefused):
                await deliver(client, Endpoint(url, SECRETS), "evt_2", BODY)
    assert len(server.heads) == 1
    assert inner.heads == []


@pytest.mark.case("V-11")
async def test_a_target_that_is_updated_all_the_time_is_judged_at_each_delivery() -> None:
    async with stranger() as server, stranger(host="127.0.0.2") as inner:
        names = Names(good_test=[["127.0.0.1"]], bad_test=[["127.0.0.2"]])
        good = f"http://good.test:{server.port}/"
        row = {"url": good}

        async def update() -> None:
            for url in cycle([f"http://bad.test:{inner.port}/", good]):
                row["url"] = url
                await asyncio.sleep(0)

        async def attempt(number: int) -> str:
            await asyncio.sleep(number / 1000)
            try:
                await deliver(client, Endpoint(row["url"], SECRETS), f"evt_{number}", BODY)
            except AddressRefused:
                return "refused"
            return "delivered"

        async with outbound(names, server.port, inner.port) as client:
            updating = asyncio.create_task(update())
            ends = await asyncio.gather(*map(attempt, range(100)))
            updating.cancel()
    assert inner.heads == []
    assert set(ends) == {"delivered", "refused"}
    assert len(server.heads) == ends.count("delivered")


async def test_what_no_sender_would_still_repeat_is_forgotten(
    acme: TenantId, database: Database
) -> None:
    tenancy = Tenancy(Caller("hook", acme, Role.EDITOR), None, database)  # type: ignore[arg-type]

    async def arrives(message_id: str) -> bool:
        async with tenancy.transaction() as session:
            return await arrives_first(session, Delivery(tenancy, "bank", message_id, BODY))

    assert [await arrives(one) for one in ("old", "young", "old")] == [True, True, False]
    async with tenancy.transaction() as session:
        aged = "UPDATE webhook_deliveries SET received_at = now() - interval '{} days'"
        for days, message_id in ((31, "old"), (29, "young")):
            where = f" WHERE message_id = '{message_id}'"
            await session.execute(text(aged.format(days) + where))
    assert await arrives("another")
    async with tenancy.transaction() as session:
        kept = await session.scalars(select(DELIVERIES.c.message_id).order_by("message_id"))
        assert list(kept) == ["another", "young"]
        assert await session.scalar(select(func.count()).select_from(DELIVERIES)) == 2
