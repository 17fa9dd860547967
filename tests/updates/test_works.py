"""After an update with a team's work in it the service still passes its own static checks."""

import os
import subprocess
import sys

import pytest

from updates import edits
from updates.changes import EVERYTHING
from updates.conftest import Generate
from updates.projects import Project
from updates.repositories import NEXT, RELEASES, Template

BRANCHES = """
from alembic.config import Config
from alembic.script import ScriptDirectory
heads = ScriptDirectory.from_config(Config("alembic.ini")).get_revisions("heads")
print(*sorted(head.revision for head in heads))
"""

THEIRS = ("src/service/main.py", "src/service/product", "tests/product", "migrations/product")


def _run(project: Project, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command] if command[0] != "-c" else [sys.executable, *command],
        cwd=project.folder,
        env={**os.environ, "PYTHONPATH": "src", "RUFF_NO_CACHE": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _format(project: Project) -> None:
    """`make format`, in the files that are the team's."""
    _run(project, "ruff", "check", "--fix", "--quiet", *THEIRS)
    _run(project, "ruff", "format", "--quiet", *THEIRS)


@pytest.mark.parametrize("names", [edits.COMPATIBLE, edits.WITHOUT_EXAMPLE], ids=["kept", "gone"])
@pytest.mark.parametrize("version", [*RELEASES, NEXT])
def test_style_imports_and_migrations_hold(
    version: str, names: tuple[str, ...], template: Template, generated: Generate
) -> None:
    project = generated(version)
    edits.apply(names, project)
    _format(project)
    project.commit("As `make format` leaves it")
    project.update(template.release(EVERYTHING).version, context=100_000)
    assert project.stumbled() == set()
    # A release may sort imports otherwise than the one before; more than this it may not ask.
    _format(project)
    _run(project, "ruff", "format", "--check", ".")
    _run(project, "ruff", "check", ".")
    _run(project, "dev", "imports")
    assert _run(project, "-c", BRANCHES) == "c9999 p0900\n"


@pytest.mark.parametrize("name", ["a", "a-service-with-a-name-of-forty-character"])
def test_make_format_changes_nothing_that_was_generated(name: str, generated: Generate) -> None:
    """Else whoever runs it edits the chassis, and the next update conflicts."""
    project = generated(NEXT, {"service_name": name})
    _run(project, "ruff", "check", "--fix", "--exit-zero", "--quiet", ".")
    _run(project, "ruff", "format", "--quiet", ".")
    assert project.status() == ""
