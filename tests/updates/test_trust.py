"""The command line, on a machine without habits, never asks for trust."""

import subprocess
import sys
from pathlib import Path

from updates.changes import EVERYTHING
from updates.projects import Project
from updates.repositories import NEXT, RELEASES, Template


def _copier(*arguments: str) -> None:
    command = [sys.executable, "-m", "copier", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_copy_and_update_run_without_trust(template: Template, folder: Path) -> None:
    project, oldest = Project(folder / "service"), next(iter(RELEASES))
    place = str(project.folder)
    _copier("copy", "--quiet", "--defaults", "--vcs-ref", oldest, template.address, place)
    project.start_repository()
    for version in (NEXT, template.release(EVERYTHING).version):
        _copier("update", "--quiet", "--defaults", "--vcs-ref", version, place)
        project.commit(version)
    assert project.answers()["_commit"] == template.release(EVERYTHING).version


def test_the_template_runs_nothing_on_the_machine_of_a_reader(template: Template) -> None:
    config = template.project.git("show", f"{NEXT}:copier.yml")
    assert not {"_tasks:", "_jinja_extensions:", "secret: true"} & set(config.split("\n"))
    assert "\n_tasks" not in config
    assert "secret:" not in config
