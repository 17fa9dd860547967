"""What the database holds of outgoing messages, and every statement about them.

A message that was sent is no row any more. `due_at` is also the lease: who takes a message moves it
ahead, so that nobody else finds it due meanwhile; and when its sender dies, it is due again.
"""

from datetime import datetime

from sqlalchemy import (
    Index,
    Interval,
    LargeBinary,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from service.chassis.application.tables import OPEN_TENANT, Table, TenantOwned, table_of


class OutgoingMessage(TenantOwned, Table):
    __tablename__ = "outgoing"
    __table_args__ = (Index(None, "tenant_id", "due_at", postgresql_where=text("dead_at IS NULL")),)

    destination: Mapped[str]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    caused_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    due_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    attempts: Mapped[int] = mapped_column(server_default="0")
    dead_at: Mapped[datetime | None]


OUTGOING = table_of(OutgoingMessage)
message = OUTGOING.c
ALIVE = message.dead_at.is_(None)
DUE = ALIVE & (message.due_at <= func.now())
THIS = message.id == bindparam("message")
PUT = insert(OUTGOING).returning(message.id)
# Of a suspended tenant nothing leaves: it waits until the tenant is back.
NEXT = select(func.min(message.due_at) - func.now()).where(ALIVE, OPEN_TENANT.exists())
BURY = (
    update(OUTGOING)
    .where(DUE, message.attempts >= bindparam("most"))
    .values(dead_at=func.now())
    .returning(message.id, message.destination, message.caused_by)
)
free = (
    select(message.id)
    .where(DUE)
    .order_by(message.due_at)
    .limit(bindparam("count"))
    .with_for_update(skip_locked=True)
    .cte("free")
)
LEASE = (
    update(OUTGOING)
    .where(message.id == free.c.id)
    .values(
        due_at=func.now() + bindparam("lease", type_=Interval),
        # Now and not when it failed: a message that kills its sender is bounded too.
        attempts=message.attempts + 1,
    )
    .returning(message.id, message.destination, message.body, message.attempts)
)
SENT = delete(OUTGOING).where(THIS)
# Only of one's own lease: another sender may be at it by now.
AGAIN = (
    update(OUTGOING)
    .where(THIS, message.attempts == bindparam("attempt"))
    .values(due_at=func.now() + bindparam("wait", type_=Interval))
)
