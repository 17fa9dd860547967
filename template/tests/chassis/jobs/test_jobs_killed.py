"""A worker that is killed -9 every second: each job has one end, and its effect once.

`make jobs-fuzz jobs=10000` is the long run; it tells its figures.
"""

import os
import sys
import time
from collections import Counter

import pytest
from chassis.jobs.asking import Asker
from chassis.jobs.chores import Tally
from chassis.jobs.implementations import Implementation, working

JOBS = int(os.environ.get("KILLED_JOBS", "300"))
LIFE = "1"
ENDS = "SELECT state, count(*), max(attempts) FROM jobs GROUP BY state"


@pytest.mark.timeout(60 + JOBS / 5)
async def test_killed_every_second_each_job_has_one_end_and_its_effect_once(
    ana_asks: Asker, ben_asks: Asker, implementation: Implementation
) -> None:
    askers, each = (ana_asks, ben_asks), JOBS // 2
    for asker in askers:
        tenant = asker.tenancy.caller.tenant_id
        await asker.put_all([Tally(name=f"{tenant} {n}", holds=0.01) for n in range(each)])
    began = time.monotonic()
    with working(implementation, "mortal", LIFE) as mortal:
        for asker in askers:
            await asker.until({"succeeded": each}, seconds=60 + JOBS / 5)
        took = time.monotonic() - began
        mortal.stop()
        killed = int(mortal.lines()[-1].split()[1])
    assert killed >= 2
    for asker in askers:
        tenant = asker.tenancy.caller.tenant_id
        assert await asker.deeds() == Counter(f"{tenant} {n}" for n in range(each))
    attempts = max([row[2] for asker in askers for row in await asker.sql(ENDS)])
    assert attempts > 1, "nobody was killed at work"
    sys.stdout.write(f"\n{JOBS} jobs, {killed} kills, {took:.0f} s, {attempts} attempts at most\n")
