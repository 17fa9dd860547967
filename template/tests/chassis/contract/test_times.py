"""Times mean the same wherever they are read."""

import json
from datetime import datetime, timedelta

import pytest

from callers import ClientFor
from service.chassis.identity import Role, TenantId


async def test_every_line_and_every_row_says_its_time_in_utc(
    client_for: ClientFor, acme: TenantId, capsys: pytest.CaptureFixture[str]
) -> None:
    owner = await client_for(acme, Role.OWNER).signed_in()
    rows = (await owner.get("/v1/audit")).json()["items"]
    logged = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    times = [row["at"] for row in rows] + [line["timestamp"] for line in logged]
    assert rows
    assert logged
    assert {datetime.fromisoformat(at).utcoffset() for at in times} == {timedelta(0)}
