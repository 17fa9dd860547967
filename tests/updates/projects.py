"""A generated service under git, and what an update did to it."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import copier
import yaml

ANSWERS = ".copier-answers.yml"
MARKERS = (b"<<<<<<< before updating", b">>>>>>> after updating")
Answers = dict[str, Any]


def git(folder: Path, *arguments: str) -> str:
    command = ["git", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


@dataclass(frozen=True)
class Project:
    """A service in a folder of a repository of its own, or of a larger one."""

    folder: Path

    def git(self, *arguments: str) -> str:
        return git(self.folder, *arguments)

    def start_repository(self) -> None:
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit("Generate")

    def commit(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)

    def update(self, ref: str, *, context: int = 3, answers: Answers | None = None) -> None:
        """Copier alone, as a team runs it that does not know our wrapper."""
        copier.run_update(
            self.folder,
            data=answers or {},
            vcs_ref=copier.VcsRef.CURRENT if ref == ":current:" else ref,
            context_lines=context,
            defaults=True,
            overwrite=True,
            quiet=True,
        )

    def dev(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`make template-…`, without uv around it."""
        return self._run("-m", "dev", *arguments)

    def python(self, code: str) -> subprocess.CompletedProcess[str]:
        return self._run("-c", code)

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *arguments]
        environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            command, cwd=self.folder, env=environ, capture_output=True, text=True, check=False
        )

    def read(self, path: str) -> str:
        return (self.folder / path).read_text("utf-8")

    def write(self, path: str, text: str) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text, "utf-8")

    def append(self, path: str, text: str) -> None:
        old = self.read(path) if (self.folder / path).exists() else ""
        self.write(path, old + text)

    def replace(self, path: str, old: str, new: str) -> None:
        text = self.read(path)
        assert old in text, f"{path} no longer has the line that this edit starts from: {old!r}"
        self.write(path, text.replace(old, new, 1))

    def answers(self) -> Answers:
        answers: Answers = yaml.safe_load(self.read(ANSWERS))
        return answers

    def status(self) -> str:
        return self.git("status", "--porcelain")

    def files(self) -> dict[str, bytes]:
        listed = self.git("ls-files", "-z", "--cached", "--others", "--exclude-standard")
        paths = sorted(path for path in set(listed.split("\0")) if path)
        return {
            path: (self.folder / path).read_bytes()
            for path in paths
            if (self.folder / path).is_file()
        }

    def unmerged(self) -> set[str]:
        return set(self.git("diff", "--name-only", "--relative", "--diff-filter=U").splitlines())

    def stumbled(self) -> set[str]:
        """Every file with a conflict, marked or not, and every rejected piece."""
        marked = {
            path
            for path, content in self.files().items()
            if any(line.startswith(MARKERS) for line in content.splitlines())
        }
        rejected = {path.name for path in self.folder.rglob("*.rej")}
        return self.unmerged() | marked | rejected

    def copy_to(self, folder: Path) -> "Project":
        return Project(shutil.copytree(self.folder, folder, symlinks=True))
