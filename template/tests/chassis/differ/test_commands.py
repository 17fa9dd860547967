"""`make contract` refuses what breaks a caller, and `make contract-diff` what nobody accepted."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FEATURE = '''"""Parcels."""

from fastapi import APIRouter

from service.chassis.contract.guards import public
from service.chassis.contract.shapes import Shown

router = APIRouter(dependencies=[public("tests")])


class Parcel(Shown):
    size: int
    weight: int


@router.get("/parcels")
async def parcels() -> Parcel:
    return Parcel(size=1, weight=1)
'''
BROKEN = "GET /v1/parcels 200 application/json .weight"


class Project:
    """A service with one feature more, under version control."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for part in ("src", "dev", "contract"):
            shutil.copytree(
                ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__")
            )
        product = folder / "src" / "service" / "product"
        self.feature = product / "parcels.py"
        self.feature.write_text(FEATURE)
        with (product / "__init__.py").open("a") as init:
            init.write("\nfrom service.product import parcels\n\nFEATURES.append(parcels.router)\n")
        (folder / ".gitignore").write_text("__pycache__\n")
        self.git("init", "--quiet")
        self.commit()

    def git(self, *arguments: str) -> str:
        named = ("-c", "user.name=Tests", "-c", "user.email=tests@example.org")
        done = subprocess.run(
            ["git", *named, *arguments], cwd=self.folder, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "Work")
        return self.git("rev-parse", "HEAD")

    def dev(self, *arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "dev", *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": "src:."},
            check=False,
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout + done.stderr

    def changed(self) -> set[str]:
        return {line.split()[-1] for line in self.git("status", "--porcelain").splitlines()}

    def without_weight(self) -> None:
        text = FEATURE.replace("    weight: int\n", "").replace(", weight=1", "")
        self.feature.write_text(text)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path / "service")
    assert made.dev("contract", "--breaking", "") == (0, "")
    assert made.changed() == {"contract/product.openapi.json"}
    return made


def test_a_break_is_refused_until_a_reason_is_given_and_then_recorded(project: Project) -> None:
    base = project.commit()
    project.without_weight()
    code, said = project.dev("contract", "--breaking", " ")
    assert code == 1
    assert f"{BROKEN}\n  response-field-removed: " in said
    assert "instead: Keep it" in said
    assert project.changed() == {"src/service/product/parcels.py"}
    why = 'Nobody reads "weight"'
    assert project.dev("contract", "--breaking", why) == (0, "")
    assert "contract/product.breaks.toml" in project.changed()
    record = (project.folder / "contract" / "product.breaks.toml").read_text()
    assert record.endswith(
        f'[[accepted]]\nwhy = "Nobody reads \\"weight\\""\nbreaks = [\n'
        f'    "response-field-removed {BROKEN}",\n]\n'
    )
    assert project.dev("contract-diff", "--base", base)[0] == 0
    project.git("checkout", "--quiet", base, "--", "contract/product.breaks.toml")
    code, said = project.dev("contract-diff", "--base", base)
    assert code == 1
    assert BROKEN in said


def test_what_the_base_got_meanwhile_is_not_removed_here(project: Project) -> None:
    project.git("checkout", "--quiet", "-b", "here")
    project.git("stash", "--quiet")
    project.git("checkout", "--quiet", "-b", "base")
    project.git("stash", "pop", "--quiet")
    project.commit()
    project.git("checkout", "--quiet", "here")
    assert project.dev("contract-diff", "--base", "base")[0] == 0


def test_a_base_that_is_not_there_is_named(project: Project) -> None:
    code, said = project.dev("contract-diff", "--base", "origin/nowhere")
    assert code == 1
    assert "origin/nowhere is no commit here: fetch it" in said
