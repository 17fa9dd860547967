"""A model that says what its question tells it to, and a feature that asks it."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any

import uvicorn
from fastapi import APIRouter, Body, Response

from callers import Client
from service.chassis.app import create_app
from service.chassis.application.runs import AsksModel, Pace, Runs
from service.chassis.application.tenancy import Tenancy
from service.chassis.contract.asking import asks
from service.chassis.contract.guards import allow
from service.chassis.contract.run_states import RunState
from service.chassis.contract.runs import show_run
from service.chassis.errors import Conflict
from service.chassis.identity import Action, Permission
from service.chassis.intelligence.citations import Cites, Source
from service.chassis.intelligence.gateway import ModelUnavailable, Prompt
from service.chassis.settings import Settings
from serving import free_port, wait_for


class ByCitations:
    """The more of what was retrieved an answer rests on, the better."""

    name = "tests.by-citations"

    async def score(self, _text: str, _answer: str, cited: Sequence[Source]) -> float:
        return len(cited) / len(SOURCES)


SOURCES = [Source("handbook", "The handbook"), Source("letter", "A letter of May")]
ECHO = Prompt("tests.echo", version=1, instructions="Do as the text says.")
MEASURED = Prompt("tests.measured", 7, "Do as the text says.", ByCitations())
MAY_ASK = Permission("tests", Action.READ)
# One event for each piece, and patience of milliseconds.
QUICK = Pace(write_seconds=0, breath_seconds=0.05, lease_seconds=1)


class Scripted:
    """The text is a list: a string is said, a number is waited for, an object cites or fails."""

    name, version = "scripted", "2026-11"

    async def answer(self, _prompt: Prompt, text: str) -> str:
        return text

    async def stream(self, _prompt: Prompt, text: str) -> AsyncIterator[str | Cites]:
        for step in json.loads(text):
            match step:
                case str():
                    yield step
                case int() | float():
                    await asyncio.sleep(step)
                case {"babble": _}:
                    while True:
                        yield ""
                case {"chr": number}:
                    yield chr(number)
                case {"cite": source_id}:
                    yield Cites(source_id)
                case {"unavailable": _}:
                    raise ModelUnavailable("overloaded at 10.0.0.7")
                case _:
                    raise RuntimeError("a secret of the inside")


CanAsk = Annotated[Tenancy, allow("tests", Action.READ)]
AsksEcho = Annotated[AsksModel, asks(ECHO, "Says what it is told.")]
AsksMeasured = Annotated[AsksModel, asks(MEASURED, "Says it, and how far to trust it.")]
Steps = Annotated[list[Any], Body()]
router = APIRouter(prefix="/asked")


@router.post("", status_code=202)
async def asked(tenancy: CanAsk, echo: AsksEcho, steps: Steps, response: Response) -> RunState:
    return show_run(response, await echo.ask(tenancy, MAY_ASK, json.dumps(steps), SOURCES))


@router.post("/measured", status_code=202)
async def asked_measured(
    tenancy: CanAsk, measured: AsksMeasured, steps: Steps, response: Response
) -> RunState:
    return show_run(response, await measured.ask(tenancy, MAY_ASK, json.dumps(steps), SOURCES))


@router.post("/in-vain")
async def asked_in_vain(tenancy: CanAsk, echo: AsksEcho, steps: Steps) -> None:
    await echo.ask(tenancy, MAY_ASK, json.dumps(steps))
    raise Conflict("Not like that.")


def parts(count: int, pause: float = 0.002) -> list[Any]:
    """So many pieces, each of which gets an event of its own."""
    return [step for number in range(count) for step in (f"part {number}, ", pause)]


async def ask(client: Client, *steps: Any, path: str = "") -> str:
    answer = await client.post(f"/v1/asked{path}", json=list(steps))
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/v1/runs/{answer.json()['run_id']}"
    return str(answer.json()["run_id"])


async def ended(client: Client, run_id: str) -> dict[str, Any]:
    """How the run stands when it does not change any more."""
    async with asyncio.timeout(20):
        while True:
            shown: dict[str, Any] = (await client.get(f"/v1/runs/{run_id}")).json()
            if shown["state"] not in {"pending", "streaming"}:
                return shown
            await asyncio.sleep(0.02)


def events_in(wire: str) -> list[dict[str, Any]]:
    """What `data:` holds of each whole event; a cut one is none."""
    whole = wire.replace("\r\n", "\n").split("\n\n")[:-1]
    lines = [line for event in whole for line in event.split("\n") if line.startswith("data: ")]
    return [json.loads(line.removeprefix("data: ")) for line in lines]


@asynccontextmanager
async def listening(settings: Settings, given: dict[str, Any], runs: Runs) -> AsyncGenerator[str]:
    """The same application on a real socket."""
    app, port = create_app(settings, [router]), free_port()

    async def served(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "state": {**given, "runs": runs}}, receive, send)

    config = uvicorn.Config(served, port=port, lifespan="off", log_level="error")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    await asyncio.to_thread(wait_for, f"http://127.0.0.1:{port}/livez", 200)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await serving
