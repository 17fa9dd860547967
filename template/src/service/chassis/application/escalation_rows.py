"""What the database holds of questions that went on to a person, and every statement about them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    bindparam,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from service.chassis.application.run_rows import RUNS
from service.chassis.application.tables import Table, TenantOwned, table_of

WAITING = text("state <> 'settled'")


class Escalation(TenantOwned, Table):
    __tablename__ = "escalations"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "run_id"], ["runs.tenant_id", "runs.id"], ondelete="CASCADE"
        ),
        CheckConstraint("state IN ('open', 'taken', 'settled')", name="state"),
        # One at a time for each run, whoever asks at once.
        Index(None, "tenant_id", "run_id", unique=True, postgresql_where=WAITING),
        Index(None, "tenant_id", "asked_at", postgresql_where=WAITING),
    )

    run_id: Mapped[UUID]
    state: Mapped[str] = mapped_column(server_default="open")
    reason: Mapped[str]
    asked_by: Mapped[str]
    asked_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    taken_by: Mapped[str | None]
    taken_at: Mapped[datetime | None]
    settled_by: Mapped[str | None]
    settled_at: Mapped[datetime | None]
    outcome: Mapped[str | None]


ESCALATIONS = table_of(Escalation)
escalation = ESCALATIONS.c
OF_RUN = escalation.run_id == bindparam("run")
SHOWN = (
    escalation.run_id,
    escalation.state,
    escalation.reason,
    escalation.asked_at,
    escalation.taken_at,
    escalation.settled_at,
    escalation.outcome,
)
OPEN = (
    insert(ESCALATIONS)
    .values(run_id=bindparam("run"), reason=bindparam("why"), asked_by=bindparam("caller"))
    .on_conflict_do_nothing(index_elements=["tenant_id", "run_id"], index_where=WAITING)
    .returning(*SHOWN)
)
LATEST = select(*SHOWN).where(OF_RUN).order_by(escalation.asked_at.desc()).limit(1)
LIST = (
    select(*SHOWN, escalation.asked_by, escalation.taken_by, RUNS.c.operation, RUNS.c.answer)
    .join_from(ESCALATIONS, RUNS)
    .where(escalation.state != "settled")
    .order_by(escalation.asked_at, escalation.id)
    .limit(bindparam("count"))
)
TAKE = (
    update(ESCALATIONS)
    .where(OF_RUN, escalation.state == "open")
    .values(state="taken", taken_by=bindparam("caller"), taken_at=func.now())
    .returning(*SHOWN)
)
SETTLE = (
    update(ESCALATIONS)
    .where(OF_RUN, escalation.state != "settled")
    .values(
        state="settled",
        settled_by=bindparam("caller"),
        settled_at=func.now(),
        outcome=bindparam("told"),
    )
    .returning(*SHOWN)
)
