"""Work of this version and of the one before is done; all else is kept with its reason."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from chassis.jobs.asking import Asker
from chassis.jobs.chores import Tally
from sqlalchemy import bindparam, update
from sqlalchemy.dialects.postgresql import JSONB

from service.chassis.application.job_rows import JOBS
from service.chassis.application.jobs import JobId, State, Work

pytestmark = pytest.mark.usefixtures("a_worker")
CHANGED = (
    update(JOBS)
    .where(JOBS.c.id == bindparam("job"))
    .values(kind=bindparam("k"), version=bindparam("v"), work=bindparam("w", type_=JSONB))
)


class Unheard(Work, kind="tests.unheard"):
    name: str


@pytest.mark.parametrize(
    ("kind", "version", "work", "reason"),
    [
        ("tests.tally", 3, {"name": "x"}, "unknown-version"),
        ("tests.tally", 0, {"name": "x"}, "unknown-version"),
        ("tests.stubborn", 0, {"name": "x"}, "unknown-version"),
        ("tests.nobody", 1, {"name": "x"}, "unknown-kind"),
        ("tests.tally", 2, {"name": "x", "more": 1}, "invalid-work"),
        ("tests.tally", 1, {"name": "x"}, "invalid-work"),
    ],
)
async def test_work_that_nobody_understands_is_kept_with_its_reason_and_never_done(
    ana_asks: Asker, kind: str, version: int, work: dict[str, Any], reason: str
) -> None:
    seen = await ana_asks.over(await written(ana_asks, kind, version, work))
    assert (seen.state, seen.reason) == (State.DEAD, reason)
    assert await ana_asks.deeds() == {}


async def test_work_of_the_version_before_is_understood(ana_asks: Asker) -> None:
    job_id = await written(ana_asks, "tests.tally", 1, {"title": "old"})
    assert (await ana_asks.over(job_id)).state == State.SUCCEEDED
    assert await ana_asks.deeds() == {"old": 1}


async def written(asker: Asker, kind: str, version: int, work: dict[str, Any]) -> JobId:
    """As another release of the service would have written it."""
    job_id = await asker.put(Tally(name="x"), after=timedelta(seconds=0.5))
    values = {"k": kind, "v": version, "w": work, "job": job_id}
    async with asker.tenancy.transaction() as session:
        await session.execute(CHANGED, values)
    return job_id


async def test_work_that_is_no_job_here_is_refused_when_it_is_put(ana_asks: Asker) -> None:
    with pytest.raises(TypeError, match="unknown-kind"):
        await ana_asks.put(Unheard(name=str(uuid4())))
    assert await ana_asks.states() == {}
