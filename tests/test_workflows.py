"""Our own pipeline and the generated one: least privilege, pinned by hash, clean."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from rendering import ROOT, TEMPLATE

WORKFLOWS = sorted(
    file for top in (ROOT, TEMPLATE) for file in (top / ".github/workflows").glob("*.yml")
)
PINNED = re.compile(r"^[\w./-]+@[0-9a-f]{40}$")


def tool(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / name), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_workflow_is_clean(file: Path) -> None:
    for command in (("actionlint", str(file)), ("zizmor", "--offline", "--pedantic", str(file))):
        done = tool(*command)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_workflow_has_no_privilege_that_it_does_not_name(file: Path) -> None:
    workflow = yaml.safe_load(file.read_text("utf-8"))
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert set(job["permissions"].values()) <= {"read"}
        assert job["timeout-minutes"] <= 60
        uses = [step["uses"] for step in job["steps"] if "uses" in step]
        assert [used for used in uses if not PINNED.match(used)] == []


def test_the_linter_of_workflows_would_say_no(tmp_path: Path) -> None:
    bad = tmp_path / ".github" / "workflows" / "bad.yml"
    bad.parent.mkdir(parents=True)
    bad.write_text(
        "on: pull_request_target\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
        "      - uses: actions/checkout@v4\n      - run: echo ${{ github.event.issue.title }}\n"
    )
    assert tool("zizmor", "--offline", str(bad)).returncode != 0
