"""kill -9 at the worst moments: either the effect and its answer are there, or neither."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest

from dev.database import Server
from serving import free_port, wait_for

pytestmark = pytest.mark.full

ROOT = Path(__file__).parents[3]
Mortal = tuple[subprocess.Popen[bytes], str]


@pytest.fixture
def mortal(environment: Mapping[str, str], server: Server, deeds_name: str) -> Generator[Mortal]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "chassis.idempotency.mortal", str(port)],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": "src:.:tests",
            **environment,
            "DATABASE_URL": server.url("service_app", deeds_name),
            "MORTAL": "yes",
        },
        stdout=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    wait_for(f"{url}/readyz", 200)
    yield process, url
    process.kill()
    process.wait()


async def die_over(mortal: Mortal, path: str, client: Any, what: str) -> None:
    process, url = mortal
    await client.signed_in()
    head = {**client.headers, "authorization": f"Bearer {client.me.token}"}
    with pytest.raises(httpx2.HTTPError):
        await asyncio.to_thread(
            httpx2.post, f"{url}{path}", json={"what": what}, headers=head, timeout=30
        )
    assert await asyncio.to_thread(process.wait, 30) == -signal.SIGKILL


@pytest.mark.case("C-03")
async def test_killed_after_the_commit_the_retry_is_told_what_was_done(
    mortal: Mortal, keyed: Any, what: str, done: Any
) -> None:
    await die_over(mortal, "/v1/deeds", keyed(what), what)
    assert await done(what) == 1
    retry = await keyed(what).post("/v1/deeds", json={"what": what})
    assert (retry.status_code, retry.headers["idempotent-replayed"]) == (201, "true")
    assert await done(what) == 1


@pytest.mark.case("C-04")
async def test_killed_between_effect_and_commit_nothing_happened_and_the_retry_does_it(
    mortal: Mortal, keyed: Any, what: str, done: Any
) -> None:
    await die_over(mortal, "/v1/deeds/killed", keyed(what), what)
    assert await done(what) == 0
    retry = await keyed(what).post("/v1/deeds/killed", json={"what": what})
    assert (retry.status_code, await done(what)) == (200, 1)
    assert "idempotent-replayed" not in retry.headers
