"""Services generated from the working tree, and commands run inside them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import copier
import yaml

ROOT = Path(__file__).parents[1]
TEMPLATE = ROOT / "template"
Answers = Mapping[str, Any]


def questions() -> dict[str, dict[str, Any]]:
    declared = yaml.safe_load((ROOT / "copier.yml").read_text("utf-8"))
    return {name: said for name, said in declared.items() if not name.startswith("_")}


def snapshot(folder: Path) -> Path:
    """The working tree as Copier would take it: what git ignores stays behind."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if name.startswith("tests/") or not (ROOT / name).is_file():
            continue
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    return folder


def render(source: Path, target: Path, answers: Answers, *, leave_out: Sequence[str] = ()) -> Path:
    copier.run_copy(
        str(source), target, data=dict(answers), defaults=True, quiet=True, exclude=leave_out
    )
    return target


@dataclass(frozen=True)
class Rendered:
    """A generated service that runs with the packages installed here: they are the same."""

    folder: Path

    def ends(self, *command: str, **environ: str) -> tuple[int, str]:
        """How a command ends, and all that it says."""
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": "src:.", **environ},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def run(self, *command: str, **environ: str) -> str:
        code, said = self.ends(*command, **environ)
        assert code == 0, f"{' '.join(command)}\n{said[-6000:]}"
        return said

    def check_style(self) -> None:
        self.run("ruff", "format", "--check", ".")
        self.run("ruff", "check", ".")

    def check_types(self) -> None:
        self.run("mypy", "--cache-dir", str(self.folder / ".mypy_cache"))

    def check_imports(self) -> None:
        self.run("dev", "imports")

    def test(self, *arguments: str) -> str:
        return self.run("pytest", "-n", "2", "--dist", "worksteal", *arguments)
