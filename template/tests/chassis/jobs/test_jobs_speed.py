"""How soon work begins, and how much of it one worker does."""

import sys
from statistics import median

import pytest
from chassis.jobs.asking import Asker
from chassis.jobs.chores import Tally
from chassis.jobs.implementations import Implementation, working

PICKED_UP = "SELECT extract(epoch FROM started_at - created_at)::float FROM jobs"
SPAN = "SELECT min(started_at), max(finished_at) FROM jobs WHERE work->>'name' LIKE 'bulk%'"
BULK = 400


@pytest.mark.full
async def test_half_of_all_work_begins_within_fifty_milliseconds(
    ana_asks: Asker, implementation: Implementation
) -> None:
    with working(implementation):
        await ana_asks.over(await ana_asks.put(Tally(name="warm")))
        for number in range(100):
            await ana_asks.over(await ana_asks.put(Tally(name=str(number))))
        picked_up = sorted(seconds for (seconds,) in await ana_asks.sql(PICKED_UP))[:-1]
        await ana_asks.put_all([Tally(name=f"bulk {n}") for n in range(BULK)])
        await ana_asks.until({"succeeded": BULK + 101})
    ((began, ended),) = await ana_asks.sql(SPAN)
    rate = BULK / (ended - began).total_seconds()
    p50, p99 = median(picked_up), picked_up[98]
    sys.stdout.write(f"\npicked up p50 {p50:.4f} s, p99 {p99:.4f} s; {rate:.0f} jobs/s a worker\n")
    assert p50 <= 0.05
