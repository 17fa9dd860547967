"""What a breaking release changes in a service: `migrate.py before|after`, run by Copier there."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

ANSWERS = ".copier-answers.yml"
RELEASES = Path(__file__).parent / "releases"
STAGES = ("before", "after")


class Project:
    """The service that is updated. Each operation may be repeated: an update may be, too."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def rename_answer(self, old: str, new: str) -> None:
        """Keep what was answered when the question gets another name. In `before` only."""
        if not re.search(rf"^{re.escape(new)}:", self._answers(), re.MULTILINE):
            self._rewrite(rf"^{re.escape(old)}:", f"{new}:")

    def replace_answer(self, question: str, old: str, new: str) -> None:
        """Map a choice that is gone to one that is there. In `before` only."""
        self._rewrite(rf"^{re.escape(question)}: {re.escape(old)}$", f"{question}: {new}")

    def move(self, old: str, new: str) -> None:
        """Rename as git does, so that edits of the team go along. In `before` only."""
        if (self.folder / old).exists() and not (self.folder / new).exists():
            (self.folder / new).parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["git", "mv", "--", old, new], cwd=self.folder, check=True)

    def _answers(self) -> str:
        return (self.folder / ANSWERS).read_text("utf-8")

    def _rewrite(self, pattern: str, replacement: str) -> None:
        text = re.sub(pattern, lambda _: replacement, self._answers(), flags=re.MULTILINE)
        (self.folder / ANSWERS).write_text(text, "utf-8")


def main(stage: str, version: str) -> None:
    if stage not in STAGES:
        sys.exit(f"unknown stage {stage!r}: copier.yml must say one of {', '.join(STAGES)}")
    step = getattr(_release(version), stage, None)
    if step:
        step(Project(Path.cwd()))


def _release(version: str) -> ModuleType:
    name = "v" + version.removeprefix("v").replace(".", "_")
    file = RELEASES / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, file)
    if not (file.is_file() and spec and spec.loader):
        sys.exit(f"copier.yml names a migration to {version}, but hooks/releases/{name}.py is gone")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main(sys.argv[1], os.environ["VERSION_CURRENT"])
