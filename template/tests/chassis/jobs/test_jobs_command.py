"""What an operator types: the dead jobs of a tenant, and a new start for them."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from chassis.jobs.asking import Asker
from chassis.jobs.chores import Tally

from service.chassis.application.jobs import State

ROOT = Path(__file__).parents[3]
DIE = "UPDATE jobs SET state = 'dead', reason = 'unknown-kind', finished_at = now(), attempts = 1"


async def service(environment: Mapping[str, str], *words: str) -> tuple[int, list[str]]:
    said = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "service", *words],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": "src", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=100,
    )
    return said.returncode, said.stdout.splitlines()


async def test_an_operator_sees_the_dead_jobs_and_starts_them_anew(
    ana_asks: Asker, environment: Mapping[str, str]
) -> None:
    tenant, job_id = str(ana_asks.tenancy.caller.tenant_id), await ana_asks.put(Tally(name="a"))
    await ana_asks.sql(DIE)
    status, lines = await service(environment, "jobs", "dead", tenant)
    assert (status, len(lines)) == (0, 1)
    assert lines[0].startswith(str(job_id))
    assert lines[0].endswith("tests.tally  unknown-kind")
    status, lines = await service(environment, "jobs", "replay", tenant)
    assert (status, lines) == (0, [f"{job_id}  starts anew"])
    seen = await ana_asks.look(job_id)
    assert (seen.state, seen.attempts, seen.reason) == (State.PENDING, 0, None)
    status, lines = await service(environment, "jobs", "replay", tenant, str(job_id))
    assert status != 0
    assert "There is no dead job" in lines[-1]


async def test_a_worker_without_its_queue_says_what_is_missing(
    environment: Mapping[str, str],
) -> None:
    bare = {name: value for name, value in environment.items() if name != "DATABASE_QUEUE_URL"}
    status, lines = await service(bare, "worker")
    assert status != 0
    assert lines[-1].startswith("DATABASE_QUEUE_URL: missing")
