"""The record as a file, for the tenant itself."""

import csv
import io
from collections.abc import AsyncIterator, Callable, Sequence
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from service.chassis.application import audit_export
from service.chassis.application.audit import LAST, AuditRow
from service.chassis.contract.audit import AuditView, CanAdminister
from service.chassis.contract.exports import csv_safe

router = APIRouter(prefix="/audit", tags=["audit"])


class Form(StrEnum):
    NDJSON = "ndjson"
    CSV = "csv"


class ExportRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    form: Form = Field(Form.NDJSON, alias="format")
    first: int = Field(1, alias="from", ge=1, le=LAST)
    last: int = Field(LAST, alias="to", ge=1, le=LAST)


class ExportedLine(AuditView):
    """One row; `hash` covers `previous` and all that is before it here."""

    tenant_id: UUID
    id: UUID
    previous: str
    hash: str


def _ndjson(rows: Sequence[AuditRow]) -> str:
    # In ASCII: some readers take more than a newline for the end of a line.
    shown = (ExportedLine.model_validate(row) for row in rows)
    return "".join(f"{line.model_dump_json(ensure_ascii=True)}\n" for line in shown)


def _csv(rows: Sequence[AuditRow]) -> str:
    shown = (ExportedLine.model_validate(row).model_dump(mode="json") for row in rows)
    return _table([csv_safe(cell) for cell in line.values()] for line in shown)


def _table(lines: Any) -> str:
    written = io.StringIO()
    csv.writer(written).writerows(lines)
    return written.getvalue()


Written = Callable[[Sequence[AuditRow]], str]
FORMS: dict[Form, tuple[str, str, Written]] = {
    Form.NDJSON: ("application/x-ndjson", "", _ndjson),
    Form.CSV: ("text/csv", _table([list(ExportedLine.model_fields)]), _csv),
}
TEXT = {"schema": {"type": "string", "description": "One line for each row, the oldest first."}}
DOCUMENTED: dict[int | str, dict[str, Any]] = {
    200: {"content": {media_type: TEXT for media_type, _, _ in FORMS.values()}}
}


class Download(StreamingResponse):
    """Says nothing of its own in the document: what it is depends on what was asked for."""

    media_type = None


@router.get("/export", response_class=Download, responses=DOCUMENTED)
async def export_audit(
    tenancy: CanAdminister, asked: Annotated[ExportRequest, Query()]
) -> Download:
    """The oldest first. Up to here it ends with its own row: an export that was cut does not."""
    media_type, head, written = FORMS[asked.form]
    export = await audit_export.begin_export(tenancy, asked.first, asked.last, asked.form)
    name = f'attachment; filename="audit-{export.first}-{export.last}.{asked.form}"'
    return Download(
        _parts(head, audit_export.pages(tenancy, export), written),
        media_type=media_type,
        headers={"content-disposition": name},
    )


async def _parts(
    head: str, pages: AsyncIterator[Sequence[AuditRow]], written: Written
) -> AsyncIterator[str]:
    if head:
        yield head
    async for page in pages:
        yield written(page)
