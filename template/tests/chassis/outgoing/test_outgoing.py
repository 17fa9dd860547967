"""A message leaves if its effect does, again and again under one id, and to nobody at last."""

import asyncio

import pytest
from chassis.outgoing.receiving import until
from chassis.outgoing.senders import (
    ALL,
    Relay,
    Rows,
    emptied,
    identified,
    ids,
    leading_to,
    put,
    tenancy_in,
)
from sqlalchemy import text

from callers import Suspend
from service.chassis.application.database import Database
from service.chassis.application.outgoing import Pace
from service.chassis.application.tenancy import Tenancy
from service.chassis.application.webhooks import Endpoint
from service.chassis.identity import Action, Permission, TenantId
from strangers import OK, stranger

GIVEN_UP = "SELECT actor, target, detail FROM audit_log WHERE action = 'outgoing.given_up'"
NO = b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.case("C-08")
async def test_a_message_is_there_if_its_effect_is(
    acme: TenantId, database: Database, relay: Relay, rows: Rows
) -> None:
    outgoing, tenancy = relay(acme), tenancy_in(database, acme)

    async def failing() -> None:
        async with tenancy.transaction() as session:
            await outgoing.put(tenancy, session, "hook", b"{}")
            raise KeyError

    with pytest.raises(KeyError):
        await failing()
    kept = await put(outgoing, acme)
    assert [row.id for row in await rows(acme, ALL)] == [kept]
    async with outgoing.running():
        await emptied(rows, acme)
    assert ids() == {kept: 1}


@pytest.mark.case("C-08")
async def test_what_is_committed_late_is_found_by_the_process_that_put_it(
    acme: TenantId, database: Database, relay: Relay, rows: Rows
) -> None:
    """As in a request with an idempotency key; no sweep finds this tenant."""
    outgoing, tenancy = relay(), tenancy_in(database, acme)
    async with outgoing.running():
        async with tenancy.transaction() as session:
            message_id = await outgoing.put(tenancy, session, "hook", b"{}")
            await asyncio.sleep(0.5)
        await emptied(rows, acme)
    assert ids() == {str(message_id): 1}


@pytest.mark.case("C-08")
async def test_what_is_not_taken_comes_again_under_the_same_id(
    acme: TenantId, relay: Relay, rows: Rows
) -> None:
    async with stranger(NO, NO, b"nonsense", OK) as server:
        outgoing = relay(acme, to=leading_to(server))
        message_id = await put(outgoing, acme, b'{"paid": 1}')
        async with outgoing.running():
            await emptied(rows, acme)
    assert identified(server) == [message_id] * 4
    assert set(server.bodies) == {b'{"paid": 1}'}
    assert not await rows(acme, GIVEN_UP)


@pytest.mark.case("C-08")
async def test_what_nobody_takes_is_given_up_kept_and_on_record(
    acme: TenantId, relay: Relay, rows: Rows
) -> None:
    pace = Pace(30, 0.01, 0.02, attempts=3, look_seconds=0.02)

    async def given_up() -> bool:
        return bool(await rows(acme, GIVEN_UP))

    async with stranger(NO) as server:
        one, other = (relay(acme, to=leading_to(server), pace=pace) for _ in range(2))
        message_id = await put(one, acme)
        async with one.running(), other.running():
            await until(given_up)
            await asyncio.sleep(0.3)
    assert identified(server) == [message_id] * 3
    assert await rows(acme, ALL) == [(message_id, 3, True)]
    said = ("outgoing", message_id, "to hook, caused by ana")
    assert await rows(acme, GIVEN_UP) == [said]


def test_the_wait_grows_to_a_bound_and_is_never_the_same_for_two() -> None:
    pace = Pace(first_seconds=5, longest_seconds=100)
    for attempt, longest in ((1, 5), (2, 10), (4, 40), (9, 100), (400, 100)):
        waits = [pace.wait_after(attempt).total_seconds() for _ in range(300)]
        assert 0 <= min(waits) < longest / 4
        assert longest * 3 / 4 < max(waits) <= longest
        assert len(set(waits)) > 250


def test_a_receiver_remembers_ids_for_longer_than_they_are_sent() -> None:
    pace = Pace()
    bounds = (min(pace.longest_seconds, pace.first_seconds * 2**n) for n in range(pace.attempts))
    assert sum(bounds) < 30 * 86_400


@pytest.mark.case("C-08", "Z-06")
async def test_each_tenants_messages_go_with_that_tenants_tenancy_and_no_rights(
    acme: TenantId, rival: TenantId, relay: Relay, rows: Rows
) -> None:
    seen: list[Tenancy] = []

    async with stranger() as server:

        async def found(tenancy: Tenancy, destination: str) -> Endpoint | None:
            seen.append(tenancy)
            async with tenancy.transaction() as session:
                assert await session.scalar(text("SELECT count(*) FROM outgoing")) == 1
            return await leading_to(server)(tenancy, destination)

        outgoing = relay(acme, rival, to=found)
        put_there = {await put(outgoing, tenant) for tenant in (acme, rival)}
        async with outgoing.running():
            await emptied(rows, acme)
            await emptied(rows, rival)
    assert set(identified(server)) == put_there
    assert {tenancy.caller.tenant_id for tenancy in seen} == {acme, rival}
    everything = [Permission("notes", action) for action in Action]
    assert not any(tenancy.caller.may(each) for tenancy in seen for each in everything)


@pytest.mark.case("C-08")
async def test_a_suspended_tenants_messages_wait(
    acme: TenantId, rival: TenantId, suspend: Suspend, relay: Relay, rows: Rows
) -> None:
    outgoing = relay(acme, rival, pace=Pace(30, look_seconds=0.02, sweep_seconds=0.1))
    await suspend(acme)
    waiting, other = await put(outgoing, acme), await put(outgoing, rival)
    async with outgoing.running():
        await emptied(rows, rival)
        await asyncio.sleep(0.3)
        assert ids() == {other: 1}
        assert await rows(acme, ALL) == [(waiting, 0, False)]
        await suspend(acme, back=True)
        await emptied(rows, acme)
    assert ids() == {other: 1, waiting: 1}
