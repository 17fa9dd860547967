"""What the database holds of runs, and every statement about them.

A run is one question to a model. `last_number` counts its events, and the row's lock is what puts
them in order: whoever adds one, or ends the run, updates this row first, and finds it open or does
nothing. So a run ends once, whoever ends it.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Double,
    ForeignKeyConstraint,
    Index,
    Interval,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from service.chassis.application.tables import Table, TenantOwned, table_of

NOW = text("now()")


class Run(TenantOwned, Table):
    __tablename__ = "runs"
    __table_args__ = (
        CheckConstraint(
            "state IN ('pending', 'streaming', 'succeeded', 'degraded', 'failed')", name="state"
        ),
        CheckConstraint("(ended_at IS NULL) = (state IN ('pending', 'streaming'))", name="ended"),
        Index(None, "tenant_id", "alive_until", postgresql_where=text("ended_at IS NULL")),
    )

    operation: Mapped[str]
    asked_by: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="pending")
    reason: Mapped[str | None]
    answer: Mapped[str | None]
    asked_characters: Mapped[int]
    last_number: Mapped[int] = mapped_column(server_default="1")
    asked_at: Mapped[datetime] = mapped_column(server_default=NOW)
    ended_at: Mapped[datetime | None]
    # A lease: its process moves it ahead while it lives.
    alive_until: Mapped[datetime]
    # What its decision record holds beside that; as far as it was known when it was asked.
    model: Mapped[str | None]
    model_version: Mapped[str | None]
    prompt_version: Mapped[int | None]
    sources: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
    cited: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    estimator: Mapped[str | None]
    confidence: Mapped[float | None] = mapped_column(Double)
    answer_sha256: Mapped[str | None]


class RunEvent(TenantOwned, Table):
    __tablename__ = "run_events"
    __table_args__ = (
        UniqueConstraint("tenant_id", "run_id", "number"),
        ForeignKeyConstraint(
            ["tenant_id", "run_id"], ["runs.tenant_id", "runs.id"], ondelete="CASCADE"
        ),
        CheckConstraint("kind IN ('state', 'delta')", name="kind"),
        Index(None, "tenant_id", "written_at"),
    )

    run_id: Mapped[UUID]
    number: Mapped[int]
    kind: Mapped[str]
    said: Mapped[str]
    written_at: Mapped[datetime] = mapped_column(server_default=NOW)


RUNS, EVENTS = table_of(Run), table_of(RunEvent)
run, said = RUNS.c, EVENTS.c
THIS = run.id == bindparam("run")
MINE = THIS & (run.asked_by == bindparam("caller"))
OPEN = run.ended_at.is_(None)
LAPSED = OPEN & (run.alive_until < func.now())
SHOWN = (
    run.id,
    run.operation,
    run.state,
    run.reason,
    run.answer,
    run.asked_characters,
    run.last_number,
    run.asked_at,
    run.ended_at,
    run.asked_by,
    run.model,
    run.model_version,
    run.prompt_version,
    run.sources,
    run.cited,
    run.estimator,
    run.confidence,
    run.answer_sha256,
)
LEASED = func.now() + bindparam("lease", type_=Interval)
ASK = (
    insert(RUNS)
    .values(
        operation=bindparam("operation"),
        asked_by=bindparam("caller"),
        asked_characters=bindparam("characters"),
        alive_until=LEASED,
        model=bindparam("model"),
        model_version=bindparam("model_version"),
        prompt_version=bindparam("prompt_version"),
        sources=bindparam("sources"),
    )
    .returning(*SHOWN)
)
READ = select(*SHOWN, LAPSED.label("lapsed")).where(MINE)
# With nothing new it only says that the process lives, and hears whether the run does.
GO_ON = (
    update(RUNS)
    .where(THIS, OPEN)
    .values(
        state=bindparam("standing"),
        last_number=run.last_number + bindparam("added"),
        alive_until=LEASED,
    )
    .returning(run.last_number)
)
ENDED = {
    "state": bindparam("outcome"),
    "reason": bindparam("why"),
    "answer": bindparam("whole"),
    "last_number": run.last_number + 1,
    "ended_at": func.now(),
}
MEASURED: dict[str, Any] = {
    "answer_sha256": bindparam("sha256"),
    "cited": bindparam("cited"),
    "estimator": bindparam("estimator"),
    "confidence": bindparam("confidence"),
}
END = update(RUNS).where(THIS, OPEN).values(**ENDED, **MEASURED)
CANCEL = update(RUNS).where(MINE, OPEN).values(**ENDED)
LAPSE = update(RUNS).where(MINE, LAPSED).values(**ENDED)
SAY = insert(EVENTS).values(
    run_id=bindparam("run"),
    number=bindparam("number"),
    kind=bindparam("kind"),
    said=bindparam("said"),
)
HEAR = (
    select(said.number, said.kind, said.said)
    .where(said.run_id == bindparam("run"), said.number > bindparam("after"))
    .order_by(said.number)
    .limit(bindparam("count"))
)
old = (
    select(said.id)
    .where(said.written_at < func.now() - bindparam("kept", type_=Interval))
    .limit(bindparam("count"))
    .with_for_update(skip_locked=True)
    .scalar_subquery()
)
FORGET = delete(EVENTS).where(said.id.in_(old))
