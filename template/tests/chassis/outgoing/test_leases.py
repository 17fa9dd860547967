"""A message is its sender's for a while: nobody else sends it, and nobody waits for who hangs."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack

import pytest
from chassis.outgoing.receiving import until
from chassis.outgoing.senders import (
    ALL,
    Relay,
    Rows,
    emptied,
    hanging,
    identified,
    ids,
    leading_to,
    put,
)

from service.chassis.application.outgoing import MESSAGES_AT_ONCE, Pace
from service.chassis.application.tenancy import Tenancy
from service.chassis.application.webhooks import Endpoint
from service.chassis.identity import TenantId
from strangers import stranger

SWEEPING = Pace(30, look_seconds=0.02, sweep_seconds=0.02)
LEASED = "SELECT attempts, due_at > now() + interval '1 hour' FROM outgoing"
TAKEN_OVER = """UPDATE outgoing SET attempts = attempts + 1, due_at = now() + interval '2 hours'
    RETURNING id"""


@pytest.mark.case("C-08")
async def test_processes_that_send_at_once_send_each_message_once(
    acme: TenantId, relay: Relay, rows: Rows
) -> None:
    senders = [relay(acme) for _ in range(5)]
    put_there = {await put(senders[0], acme) for _ in range(60)}
    async with AsyncExitStack() as running:
        for sender in senders:
            await running.enter_async_context(sender.running())
        await emptied(rows, acme)
    assert ids() == dict.fromkeys(put_there, 1)


@pytest.mark.case("C-08")
async def test_while_one_process_is_sending_no_other_begins(
    acme: TenantId, relay: Relay, rows: Rows
) -> None:
    begun: list[str] = []

    async with stranger() as server:

        async def slow(tenancy: Tenancy, destination: str) -> Endpoint | None:
            begun.append(destination)
            await asyncio.sleep(0.5)
            return await leading_to(server)(tenancy, destination)

        first, second = relay(acme, to=slow), relay(acme, to=slow, pace=SWEEPING)
        await put(first, acme)
        async with first.running(), second.running():
            await emptied(rows, acme)
    assert begun == ["hook"]


@pytest.mark.case("C-08")
async def test_an_attempt_is_over_before_its_lease_is(acme: TenantId, relay: Relay) -> None:
    lasted: list[float] = []
    loop = asyncio.get_running_loop()

    async def hangs(_tenancy: Tenancy, _destination: str) -> None:
        begun = loop.time()
        try:
            await asyncio.sleep(60)
        finally:
            lasted.append(loop.time() - begun)

    async def twice() -> bool:
        return len(lasted) > 1

    outgoing = relay(acme, to=hangs, pace=Pace(1, 0.01, look_seconds=0.02))
    await put(outgoing, acme)
    async with outgoing.running():
        await until(twice)
    assert max(lasted) < 1


@pytest.mark.case("C-08")
async def test_who_was_too_slow_does_not_end_the_lease_of_the_next(
    acme: TenantId, relay: Relay, rows: Rows
) -> None:
    async def fails_late(_tenancy: Tenancy, _destination: str) -> None:
        await rows(acme, TAKEN_OVER)

    async def tried() -> bool:
        return bool((await rows(acme, ALL))[0].attempts > 1)

    outgoing = relay(acme, to=fails_late)
    await put(outgoing, acme)
    async with outgoing.running():
        await until(tried)
        await asyncio.sleep(0.3)
    assert await rows(acme, LEASED) == [(2, True)]


async def test_a_destination_that_hangs_holds_up_no_other_tenant(
    acme: TenantId, rival: TenantId, relay: Relay, rows: Rows
) -> None:
    async with stranger() as server:

        async def found(tenancy: Tenancy, destination: str) -> Endpoint | None:
            if tenancy.caller.tenant_id == acme:
                await asyncio.sleep(60)
            return await leading_to(server)(tenancy, destination)

        outgoing = relay(acme, rival, to=found, pace=Pace(4, look_seconds=0.02))
        await put(outgoing, acme)
        async with outgoing.running():
            await asyncio.sleep(0.2)
            await put(outgoing, rival)
            async with asyncio.timeout(1):
                await emptied(rows, rival)
    assert len(server.heads) == 1


async def test_a_tenant_has_no_more_than_its_share_under_way_and_loses_nothing(
    acme: TenantId, relay: Relay, rows: Rows
) -> None:
    async with hanging() as (server, over):
        outgoing = relay(to=leading_to(server), pace=Pace(look_seconds=0.02))
        put_there = {await put(outgoing, acme) for _ in range(10)}
        async with outgoing.running():
            for _ in range(20):
                # Time enough for a look of its own.
                put_there.add(await put(outgoing, acme))
                await asyncio.sleep(0.03)
            assert len(server.heads) == MESSAGES_AT_ONCE == 4
            over.set()
            await emptied(rows, acme)
    assert Counter(identified(server)) == dict.fromkeys(put_there, 1)


async def test_what_is_on_its_way_when_the_process_stops_still_arrives(
    acme: TenantId, relay: Relay, rows: Rows
) -> None:
    begun = asyncio.Event()

    async with stranger() as server:

        async def found(tenancy: Tenancy, destination: str) -> Endpoint | None:
            begun.set()
            await asyncio.sleep(0.3)
            return await leading_to(server)(tenancy, destination)

        outgoing = relay(acme, to=found)
        await put(outgoing, acme)
        async with outgoing.running():
            await begun.wait()
        assert not await rows(acme, ALL)
    assert len(server.heads) == 1
