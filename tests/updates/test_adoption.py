"""A repository that the template never saw is brought onto it, by the commands of the guide."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from updates.changes import EVERYTHING
from updates.places import broken
from updates.projects import Project
from updates.repositories import REPOSITORY, Template

GUIDE = REPOSITORY / "docs" / "guides" / "adopt.md"
HISTORY = "Our own history"
README = "# Orders\n\nWritten before the template.\n"


@pytest.fixture
def adopted(template: Template, folder: Path) -> Project:
    project = Project(folder / "orders")
    project.write("README.md", README)
    project.write("Makefile", "run:\n\t@echo ours\n")
    project.write("orders/prices.py", "PRICE = 1\n")
    project.git("init", "--quiet", "--initial-branch=main")
    project.commit(HISTORY)
    script = _commands("bring")
    subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=project.folder,
        env={**os.environ, "TEMPLATE": template.address},
        check=True,
        capture_output=True,
    )
    return project


def _commands(marker: str) -> str:
    """The block of the guide after the comment with that name, with copier as it is installed."""
    block = re.search(rf"<!-- {marker} -->\n```bash\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    assert block, f"{GUIDE} has no block {marker!r}"
    return block[1].replace("uvx copier", f"{sys.executable} -m copier")


def test_its_history_and_its_files_are_kept_and_the_rest_arrives(adopted: Project) -> None:
    assert HISTORY in adopted.git("log", "--format=%s", "main")
    assert adopted.read("README.md") == README
    assert adopted.read("orders/prices.py") == "PRICE = 1\n"
    assert (adopted.folder / "src/service/chassis/app.py").is_file()
    assert adopted.stumbled() == set()
    assert adopted.status() == ""


def test_what_overlaps_with_the_template_is_listed_by_drift(adopted: Project) -> None:
    done = adopted.dev("template-drift")
    assert done.returncode == 1, done.stderr
    assert "changed  Makefile\n" in done.stdout
    assert "src/service" not in done.stdout


def test_later_updates_work_as_in_any_other_service(adopted: Project, template: Template) -> None:
    adopted.git("checkout", "--quiet", "strongback", "--", "Makefile")
    adopted.commit("Take the template's Makefile")
    release = template.release(EVERYTHING)
    done = adopted.dev("template-update", "--vcs-ref", release.version)
    assert done.returncode == 0, done.stdout + done.stderr
    assert broken(release.traces, adopted) == []
    assert adopted.read("README.md") == README
