"""After an update the migrations of both sides run, on an empty database and on the old one."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from updates import edits
from updates.changes import EVERYTHING
from updates.conftest import Generate
from updates.projects import Project
from updates.repositories import NEXT, RELEASES, REPOSITORY, Template

SERVE = """
import json, sys
from pathlib import Path
from dev.services import running

with running(Path(sys.argv[1]), disposable=True) as services:
    print(json.dumps(services.admin_url), flush=True)
    sys.stdin.read()
"""
MIGRATE = """
import asyncio, sys
import asyncpg
from dev.database import LOGINS, Server, create_and_migrate

async def reached(server, name):
    connection = await asyncpg.connect(server.admin(name))
    rows = await connection.fetch("SELECT version_num FROM alembic_version ORDER BY 1")
    await connection.close()
    return [row["version_num"] for row in rows]

server = Server(sys.argv[1], dict.fromkeys(LOGINS, "password-of-a-test"))
create_and_migrate(server, sys.argv[2])
print(*asyncio.run(reached(server, sys.argv[2])))
"""
WITH_SOURCES = {"PYTHONPATH": os.pathsep.join((".", "src"))}


@pytest.fixture(scope="module")
def server(workplace: Path) -> Iterator[str]:
    """A real Postgres, started as every service starts it."""
    holder = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(workplace / "services")],
        cwd=REPOSITORY / "template",
        env=os.environ | WITH_SOURCES,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout
        yield json.loads(holder.stdout.readline())
        holder.communicate("")


def _migrate(project: Project, server: str, database: str) -> set[str]:
    """Every revision at a head, with this project's own migrations."""
    done = subprocess.run(
        [sys.executable, "-c", MIGRATE, server, database],
        cwd=project.folder,
        env=os.environ | WITH_SOURCES,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("version", [*RELEASES, NEXT])
def test_both_branches_reach_their_heads(
    version: str, template: Template, generated: Generate, server: str
) -> None:
    project, old = generated(version), f"old_{version.replace('.', '_')}"
    edits.apply(edits.COMPATIBLE, project)
    assert "c9999" not in _migrate(project, server, old)
    project.update(template.release(EVERYTHING).version)
    assert _migrate(project, server, old) == {"c9999", "p0900"}
    assert _migrate(project, server, f"{old}_empty") == {"c9999", "p0900"}
