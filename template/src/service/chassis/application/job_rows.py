"""What the database holds of jobs, and every statement about them.

A row is the truth about its job; a ticket in the queue only says that somebody should look at it.
So a ticket that comes twice, too early or for nothing does nothing.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    Index,
    Interval,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, mapped_column

from service.chassis.application.tables import OPEN_TENANT, Table, TenantOwned, table_of


class JobRow(TenantOwned, Table):
    __tablename__ = "jobs"
    __table_args__ = (
        UniqueConstraint("tenant_id", "key"),
        Index(None, "tenant_id", "due_at", postgresql_where=text("state = 'pending'")),
        Index(None, "tenant_id", "finished_at"),
    )

    kind: Mapped[str]
    version: Mapped[int]
    work: Mapped[dict[str, Any]] = mapped_column(JSONB)
    caused_by: Mapped[str]
    scopes: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    key: Mapped[str | None]
    trace_id: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="pending")
    attempts: Mapped[int] = mapped_column(server_default="0")
    reason: Mapped[str | None]
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    due_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


JOBS = table_of(JobRow)
job = JOBS.c
THIS = job.id == bindparam("job")
ALIVE = job.state.in_(["pending", "running"])
# Of one's own attempt only: who was overtaken, or cancelled, finds nothing to conclude.
MINE = THIS & (job.state == "running") & (job.attempts == bindparam("attempt"))
NOTHING = {"reason": None, "result": None, "started_at": None, "finished_at": None}

waiting = select(job.id).where(job.state == "pending").limit(bindparam("most")).subquery()
WAITING = select(func.count()).select_from(waiting)
PUT = (
    insert(JOBS)
    .values(due_at=func.now() + bindparam("after", type_=Interval))
    .on_conflict_do_nothing(index_elements=["tenant_id", "key"])
    .returning(job.id)
)
WITH_KEY = select(job.id).where(job.key == bindparam("key"))
TICKET = text("SELECT wall.put_ticket(:job, :ahead, now() + :after, :most)").bindparams(
    bindparam("after", type_=Interval)
)
SEEN = select(
    job.id,
    job.kind,
    job.state,
    job.attempts,
    job.reason,
    job.result,
    job.created_at,
    job.finished_at,
)
SEE = SEEN.where(THIS)
DEAD = SEEN.where(job.state == "dead").order_by(job.finished_at, job.id)
CANCEL = (
    update(JOBS)
    .where(THIS, ALIVE)
    .values(state="cancelled", finished_at=func.now())
    .returning(job.id)
)
REPLAY = (
    update(JOBS)
    .where(THIS, job.state == "dead")
    .values(state="pending", attempts=0, due_at=func.now(), **NOTHING)
    .returning(job.id)
)
# A job that was running belonged to a worker that is no more: its ticket came back.
TAKE = (
    update(JOBS)
    .where(THIS, ALIVE, job.due_at <= func.now(), OPEN_TENANT.exists())
    .values(
        state="running",
        # Now and not when it failed: a job that kills its worker is bounded too.
        attempts=job.attempts + 1,
        started_at=func.now(),
    )
    .returning(
        job.id,
        job.kind,
        job.version,
        job.work,
        job.caused_by,
        job.scopes,
        job.trace_id,
        job.attempts,
    )
)
END = (
    update(JOBS)
    .where(MINE)
    .values(
        state=bindparam("end"),
        reason=bindparam("why"),
        result=bindparam("told", type_=JSONB(none_as_null=True)),
        finished_at=func.now(),
    )
    .returning(job.id)
)
AGAIN = (
    update(JOBS)
    .where(MINE)
    .values(
        state="pending",
        reason=bindparam("why"),
        due_at=func.now() + bindparam("after", type_=Interval),
    )
    .returning(job.id)
)
GIVE_BACK = (
    update(JOBS)
    .where(MINE)
    .values(state="pending", attempts=job.attempts - 1, reason="given back")
    .returning(job.id)
)
old = (
    select(job.id)
    .where(
        job.state.in_(["succeeded", "failed", "cancelled"]),
        job.finished_at < func.now() - bindparam("kept", type_=Interval),
    )
    .limit(10)
    .with_for_update(skip_locked=True)
    .scalar_subquery()
)
FORGET_OLD = delete(JOBS).where(job.id.in_(old))
