"""The template as a repository with releases: real ones, the working tree, synthetic ones."""

import shutil
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

import yaml

from updates.changes import CHANGES
from updates.places import Trace
from updates.projects import Project, git

REPOSITORY = Path(__file__).parents[2]
RELEASES: dict[str, str] = {
    release["version"]: release["commit"]
    for release in tomllib.loads((Path(__file__).parent / "versions.toml").read_text("utf-8"))[
        "release"
    ]
}
# Newer than any release will ever be; the synthetic ones are newer still.
NEXT = "1000.0.0"


@dataclass(frozen=True)
class Release:
    """A version, and what of it must arrive in a service, or must not."""

    version: str
    traces: tuple[Trace, ...]


class Template:
    """A clone whose newest release is the working tree, committed or not."""

    def __init__(self, folder: Path) -> None:
        self.project = Project(folder)
        self.synthetic: dict[tuple[str, ...], Release] = {(): Release(NEXT, ())}
        subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(folder)], check=True)
        for version, commit in RELEASES.items():
            self.project.git("tag", "--force", version, commit)
        self.project.git("checkout", "--quiet", "--detach")
        _take_working_tree(folder)
        self.tag(NEXT)

    @property
    def address(self) -> str:
        return str(self.project.folder)

    @property
    def questions(self) -> dict[str, dict[str, object]]:
        declared = yaml.safe_load(git(self.project.folder, "show", f"{NEXT}:copier.yml"))
        return {name: said for name, said in declared.items() if not name.startswith("_")}

    def release(self, changes: tuple[str, ...]) -> Release:
        """The release that has these changes and all that the working tree has."""
        if changes not in self.synthetic:
            self.project.git("checkout", "--quiet", "--detach", NEXT)
            traces = [trace for change in changes for trace in CHANGES[change](self.project)]
            version = f"1001.0.{len(self.synthetic)}"
            self.tag(version)
            self.synthetic[changes] = Release(version, tuple(traces))
        return self.synthetic[changes]

    def tag(self, version: str) -> None:
        self.project.commit(version)
        self.project.git("tag", "--annotate", "--message", version, version)


def _take_working_tree(folder: Path) -> None:
    """Committed or not, but nothing that git ignores."""
    git(folder, "rm", "-r", "--quiet", ".")
    listed = git(REPOSITORY, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for path in filter(None, listed.split("\0")):
        if (REPOSITORY / path).is_file():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / path, folder / path)
