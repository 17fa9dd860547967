"""Follows the chain of an exported record with nothing but the file."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
COVERED = ("actor", "action", "target", "address", "trace_id", "detail")


def broken_at(lines: Iterable[str]) -> int | None:
    """The first row that does not follow from the one before; the first is taken as it is."""
    before: dict[str, str] = {}
    for line in lines:
        row = json.loads(line)
        follows = not before or (row["previous"], row["number"]) == (
            before["hash"],
            int(before["number"]) + 1,
        )
        if not follows or proper(row) != row["hash"]:
            return int(row["number"])
        before = row
    return None


def proper(row: dict[str, str]) -> str:
    since = datetime.fromisoformat(row["at"]) - EPOCH
    at = f"{since.days * 86400 + since.seconds}.{since.microseconds:06d}"
    said = (json.dumps(row[name], ensure_ascii=False) for name in COVERED)
    quoted = (json.dumps(row["tenant_id"]), json.dumps(row["id"]), str(row["number"]), at, *said)
    return sha256(bytes.fromhex(row["previous"]) + f"[{', '.join(quoted)}]".encode()).hexdigest()
