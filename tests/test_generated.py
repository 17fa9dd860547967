"""What is generated works: every pair of answers, without the example, and through `make ci`."""

import itertools
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from rendering import ROOT, TEMPLATE, Rendered, questions, render

pytestmark = pytest.mark.full
CHOICES = {
    name: list(said["choices"].values()) if "choices" in said else [True, False]
    for name, said in questions().items()
    if "choices" in said or said["type"] == "bool"
}
# Every pair of values of any two questions is in one of these rows; the test below counts them.
ROWS = [
    {"profile": "standard", "ci": "github", "containers": True, "accounts": True},
    {"profile": "standard", "ci": "none", "containers": False, "accounts": False},
    {"profile": "minimal", "ci": "github", "containers": False, "accounts": False},
    {"profile": "minimal", "ci": "none", "containers": True, "accounts": False},
    {"profile": "minimal", "ci": "none", "containers": False, "accounts": True},
]
# `make ci` below runs all of the service's tests, once.
FAST = ("-m", "not full")
# Where tests might use the example's routes.
NEAR_THE_EXAMPLE = ("tests/architecture", "tests/chassis/contract", "tests/chassis/accounts")
# What an answer can change: files, settings, routes, and whether it starts.
TOUCHED_BY_ANSWERS = (
    "tests/architecture/test_map.py",
    "tests/architecture/test_ownership.py",
    "tests/architecture/test_default_deny.py",
    "tests/architecture/test_contract.py",
    "tests/product",
    "tests/chassis/test_server.py",
    "tests/chassis/test_settings.py",
    "tests/chassis/accounts/test_left_out.py",
)


def test_the_rows_hold_every_pair_of_answers() -> None:
    wanted = {
        frozenset({(one, a), (other, b)})
        for one, other in itertools.combinations(CHOICES, 2)
        for a, b in itertools.product(CHOICES[one], CHOICES[other])
    }
    held = {frozenset(pair) for row in ROWS for pair in itertools.combinations(row.items(), 2)}
    assert wanted - held == set()


@pytest.mark.parametrize("answers", ROWS, ids=lambda row: "-".join(map(str, row.values())))
def test_every_pair_of_answers_is_linted_typed_and_tested(
    source: Path, tmp_path: Path, answers: dict[str, str | bool]
) -> None:
    service = Rendered(render(source, tmp_path / "service", answers))
    service.check_style()
    service.check_types()
    service.check_imports()
    assert " passed" in service.test(*TOUCHED_BY_ANSWERS)


def test_the_template_is_a_project_itself() -> None:
    in_place = Rendered(TEMPLATE)
    in_place.check_style()
    in_place.run("mypy")
    in_place.check_imports()
    assert " passed" in in_place.test(*TOUCHED_BY_ANSWERS)


def test_without_the_example_everything_is_still_green(service: Rendered) -> None:
    product = service.folder / "src/service/product"
    shutil.rmtree(product / "notes")
    init = (product / "__init__.py").read_text("utf-8")
    (product / "__init__.py").write_text(re.sub(r".*notes.*\n", "", init))
    service.check_style()
    service.check_types()
    service.check_imports()
    assert " passed" in service.test(*FAST, *NEAR_THE_EXAMPLE)


def test_make_ci_runs_what_the_pipeline_runs(service: Rendered) -> None:
    """With tools of its own: a virtual environment, installed by the project's own files."""
    subprocess.run(["git", "init", "--quiet"], cwd=service.folder, check=True)
    environ = {k: v for k, v in os.environ.items() if k not in {"VIRTUAL_ENV", "PYTHONPATH"}}
    done = subprocess.run(
        ["make", "ci"], cwd=service.folder, env=environ, capture_output=True, text=True, check=False
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-6000:]
    assert re.search(r"\d+ passed", said)
    pipeline = (service.folder / ".github/workflows/ci.yml").read_text("utf-8")
    targets = re.search(r"target: \[(.*)\]", pipeline)
    assert targets
    makefile = (ROOT / "template/Makefile").read_text("utf-8")
    recipe = re.search(r"^ci: (.*?) ##", makefile, re.MULTILINE)
    assert recipe
    assert set(targets[1].split(", ")) == set(recipe[1].split()) - {"audit-if-reachable"}
    assert "NOT RUN: audit" in said or "vulnerabilit" in said


def test_twenty_thousand_cancelled_requests_leave_no_tenant_behind(service: Rendered) -> None:
    """In each mode; the generated service's own tests run a twentieth of it each time."""
    said = service.run(
        "pytest",
        "-n",
        "2",
        "tests/chassis/wall/test_cancellation.py",
        CANCELLED_REQUESTS="20000",
    )
    assert " passed" in said
