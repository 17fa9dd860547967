"""The rows of this feature."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from service.chassis.application.tables import Table, TenantOwned


class Note(TenantOwned, Table):
    __tablename__ = "notes"
    __table_args__ = (Index(None, "tenant_id", "created_at", "id"),)

    title: Mapped[str]
    body: Mapped[str]
    version: Mapped[int] = mapped_column(server_default="1")
    archived: Mapped[bool] = mapped_column(server_default="false")
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
