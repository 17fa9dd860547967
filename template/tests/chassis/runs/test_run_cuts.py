"""A stream that is cut, anywhere and again and again, adds up to what was said.

`STREAM_CUTS=2000` is the long run of it.
"""

import asyncio
import json
import os
import random
import subprocess
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import httpx2
import pytest
from chassis.runs.scripted import ask, ended, events_in, listening, parts

import serving
from callers import Client
from clients.run_view import RunView, step
from service.chassis.app import Service
from service.chassis.application.runs import Runs
from service.chassis.settings import Settings

CUTS = int(os.environ.get("STREAM_CUTS", "100"))
PIECES = 200


@pytest.fixture
async def processes(
    settings: Settings, asking: Service, runs: Runs, environment: Mapping[str, str]
) -> AsyncGenerator[list[str]]:
    """The one that asks the model, and one that knows of it only from the database."""
    other, url = serving.start(environment, subprocess.DEVNULL)
    async with AsyncExitStack() as stack:
        stack.callback(other.wait)
        stack.callback(other.terminate)
        own = await stack.enter_async_context(listening(settings, asking.state.given, runs))
        await asyncio.to_thread(serving.wait_for, f"{url}/livez", 200)
        yield [own, url]


@dataclass
class Reader:
    """A page whose connection is cut after so many bytes, or not."""

    client: httpx2.AsyncClient
    token: str
    run_id: str
    view: RunView = field(default_factory=RunView)
    counted: int = 0

    async def read(self, url: str, most: int) -> None:
        """So many bytes, then the connection is gone."""
        came = b""
        headers = {"authorization": f"Bearer {self.token}", "last-event-id": str(self.view.heard)}
        events = f"{url}/v1/runs/{self.run_id}/events"
        async with self.client.stream("GET", events, headers=headers) as answer:
            assert answer.status_code == 200
            async for part in answer.aiter_bytes():
                came += part
                if len(came) >= most:
                    break
        self._see(came[:most])

    def _see(self, came: bytes) -> None:
        for event in events_in(came.decode()):
            assert event["number"] == self.view.heard + 1, "lost or twice"
            self.view = step(self.view, event)
            self.counted += 1


async def assert_whole(reader: Reader, ana: Client) -> None:
    answer: dict[str, Any] = (await ended(ana, reader.run_id))["answer"]
    view = reader.view
    assert view.run
    assert view.run["answer"] == answer
    assert sha256(view.text.encode()).hexdigest() == answer["sha256"]
    assert reader.counted == view.heard


async def token_of(ana: Client) -> str:
    await ana.signed_in()
    assert ana.person
    return ana.person.token


async def test_a_stream_cut_at_every_event_adds_up(ana: Client, processes: list[str]) -> None:
    token = await token_of(ana)
    # More than that, because what comes fast shares an event.
    run_id = await ask(ana, *parts(2 * PIECES, 0.01))
    await ended(ana, run_id)
    wire = (await ana.get(f"/v1/runs/{run_id}/events")).text
    blocks = [len(block) + 2 for block in wire.split("\n\n")[:-1]]
    assert len(blocks) > PIECES
    async with httpx2.AsyncClient() as client:
        reader = Reader(client, token, run_id)
        for number, size in enumerate(blocks):
            await reader.read(processes[number % 2], size)
    await assert_whole(reader, ana)


@pytest.mark.full
@pytest.mark.timeout(0)
async def test_a_stream_cut_at_random_bytes_adds_up(ana: Client, processes: list[str]) -> None:
    """While it is being said, and after; through the one process and the other."""
    token, dice, cuts = await token_of(ana), random.Random(7), 0  # noqa: S311
    async with httpx2.AsyncClient() as client:
        while cuts < CUTS:
            run_id = await ask(ana, *parts(PIECES, 0.004))
            reader = Reader(client, token, run_id)
            while not reader.view.ended:
                await reader.read(dice.choice(processes), dice.randrange(1, 6000))
                cuts += 1
            await assert_whole(reader, ana)
    print(f"{cuts} cuts, each whole")  # noqa: T201


def test_a_wire_that_loses_an_event_is_noticed() -> None:
    reader = Reader(httpx2.AsyncClient(), "", "")
    lost = {"event": "delta", "number": 2, "text": "b"}
    with pytest.raises(AssertionError, match="lost or twice"):
        reader._see(f"data: {json.dumps(lost)}\n\n".encode())
