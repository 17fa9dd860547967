"""What people thought of an answer: one word of each person about each run, theirs to change."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Row, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from service.chassis.application.run_reading import MAY_READ, find_run
from service.chassis.application.tables import Table, TenantOwned, table_of
from service.chassis.application.tenancy import Tenancy


class RunFeedback(TenantOwned, Table):
    __tablename__ = "run_feedback"
    __table_args__ = (
        UniqueConstraint("tenant_id", "run_id", "given_by"),
        ForeignKeyConstraint(
            ["tenant_id", "run_id"], ["runs.tenant_id", "runs.id"], ondelete="CASCADE"
        ),
        CheckConstraint(
            "reason IN ('incorrect', 'incomplete', 'off_topic', 'outdated', 'harmful', 'other')",
            name="reason",
        ),
    )

    run_id: Mapped[UUID]
    given_by: Mapped[str]
    helpful: Mapped[bool]
    reason: Mapped[str | None]
    comment: Mapped[str | None]
    given_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


FEEDBACK = table_of(RunFeedback)
feedback = FEEDBACK.c
given = insert(FEEDBACK)
GIVE = given.on_conflict_do_update(
    index_elements=["tenant_id", "run_id", "given_by"],
    set_={
        "helpful": given.excluded.helpful,
        "reason": given.excluded.reason,
        "comment": given.excluded.comment,
        "given_at": func.now(),
    },
).returning(feedback.helpful, feedback.reason, feedback.comment, feedback.given_at)

FeedbackRow = Row[*tuple[Any, ...]]


async def give_feedback(
    tenancy: Tenancy, run_id: UUID, *, helpful: bool, reason: str | None, comment: str | None
) -> FeedbackRow:
    """The last word counts."""
    said = {"helpful": helpful, "reason": reason, "comment": comment}
    async with tenancy.transaction(MAY_READ) as session:
        await find_run(tenancy, session, run_id)
        whose = {"run_id": run_id, "given_by": tenancy.caller.subject}
        return (await session.execute(GIVE, said | whose)).one()
