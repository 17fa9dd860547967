"""kill -9 at every step of a message's life: it is there with its effect, and counts once."""

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from chassis.outgoing.receiving import arrived, until
from chassis.outgoing.senders import Relay

from service.chassis.application.system import SystemDoor, create_tenant
from service.chassis.identity import TenantId

ROOT = Path(__file__).parents[3]
LIVES = 60
WORST = {
    "before INSERT INTO outgoing",
    "before WITH free AS",
    "after WITH free AS",
    "before it is sent",
    "after it was sent",
    "before DELETE FROM outgoing",
    "after DELETE FROM outgoing",
    "before a commit",
    "after a commit",
}
LEFT = "SELECT id::text, extract(epoch FROM due_at)::float, attempts FROM outgoing"
DONE = "SELECT count(*) FROM audit_log WHERE action = 'deed.done'"
TAKEN = "SELECT detail FROM audit_log WHERE action = 'hook.taken'"


@pytest.fixture
async def tenants(door: SystemDoor) -> list[TenantId]:
    return [await create_tenant(door, actor="tests", name="mortal") for _ in range(LIVES)]


@pytest.fixture
async def steps(
    environment: Mapping[str, str], port: int, rival: TenantId, tenants: Sequence[TenantId]
) -> list[str]:
    """At which step each of them died."""
    return await asyncio.to_thread(lives, environment, port, rival, tenants)


def lives(
    environment: Mapping[str, str], port: int, receiving: TenantId, tenants: Sequence[TenantId]
) -> list[str]:
    said = subprocess.run(
        [sys.executable, "-m", "chassis.outgoing.mortal", str(port), str(receiving)]
        + [str(tenant) for tenant in tenants],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": "src:.:tests", **environment},
        stdout=subprocess.PIPE,
        check=True,
        timeout=90,
    )
    return [json.loads(line) for line in said.stdout.splitlines() if line.startswith(b'"')]


@pytest.mark.case("C-08")
async def test_killed_at_each_step_nothing_is_lost_and_each_message_counts_once(
    steps: list[str], tenants: list[TenantId], rival: TenantId, relay: Relay, rows: Any
) -> None:
    assert steps[-1] == "lived", "more lives are needed"
    assert WORST - set(steps) == set()
    left = [row for tenant in tenants for row in await rows(tenant, LEFT)]
    leased = {message_id: until for message_id, until, attempts in left if attempts}
    assert len(leased) >= 5
    assert len(left) > len(leased)
    sent_before = {message_id for message_id, _ in arrived}
    await drained(relay, tenants, rows)
    # A dead sender's lease is respected to its end, and then taken over.
    later = [(message_id, at) for message_id, at in arrived if message_id in leased]
    overtaken = {message_id: at for message_id, at in later if at >= leased[message_id]}
    assert overtaken.keys() == leased.keys()
    done = [json.dumps(str(tenant)) for tenant in tenants if (await rows(tenant, DONE))[0].count]
    counted = Counter(row.detail for row in await rows(rival, TAKEN))
    assert counted == dict.fromkeys(done, 1), "an effect without its one message, or the reverse"
    assert 10 < len(done) < len(steps), "some died before they had done anything"
    assert sent_before & overtaken.keys(), "some were sent twice, and counted once"


async def drained(relay: Relay, tenants: Sequence[TenantId], rows: Any) -> None:
    """Two healthy processes take over, until nothing is left."""

    async def empty() -> bool:
        return not any([await rows(tenant, LEFT) for tenant in tenants])

    async with relay(*tenants).running(), relay(*tenants).running():
        await until(empty, 60)
