"""The template with its releases, and services generated from it: made once, copied per test."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import copier
import pytest

from updates import edits, shortcuts
from updates.places import Trace
from updates.projects import Answers, Project
from updates.repositories import Template

Generate = Callable[..., Project]
COUNTED = ("cases", "lost", "misplaced", "resurrected", "undeclared")
MEMORY = Path("/dev/shm")  # noqa: S108
ROOM = 2_000_000_000
ISOLATED = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_AUTHOR_NAME": "Team",
    "GIT_AUTHOR_EMAIL": "team@example.com",
    "GIT_COMMITTER_NAME": "Team",
    "GIT_COMMITTER_EMAIL": "team@example.com",
}


@pytest.fixture(scope="session", autouse=True)
def workplace() -> Iterator[Path]:
    """A machine without habits: no configuration, an empty home, temporary files in memory."""
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM
    with tempfile.TemporaryDirectory(dir=MEMORY if roomy else None) as folder, _patched() as patch:
        for name, value in ISOLATED.items():
            patch.setenv(name, value)
        for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "TMPDIR"):
            (Path(folder) / name).mkdir()
            patch.setenv(name, str(Path(folder) / name))
        patch.setattr(tempfile, "tempdir", str(Path(folder) / "TMPDIR"))
        (Path(folder) / "clones").mkdir()
        shortcuts.take(patch, Path(folder) / "clones")
        yield Path(folder)


_patched = pytest.MonkeyPatch.context


@pytest.fixture(scope="session")
def template(workplace: Path) -> Template:
    return Template(workplace / "template")


@pytest.fixture(scope="session")
def pristine(workplace: Path, template: Template) -> Generate:
    """What `copier copy` gives, committed: one for each version and set of answers."""
    made: dict[str, Project] = {}

    def generate(version: str, answers: Answers | None = None) -> Project:
        key = f"{version} {answers}"
        if key not in made:
            project = Project(workplace / f"pristine-{len(made)}")
            copier.run_copy(
                template.address,
                project.folder,
                data=answers or {},
                vcs_ref=version,
                defaults=True,
                quiet=True,
            )
            project.start_repository()
            made[key] = project
        return made[key]

    return generate


@pytest.fixture
def folder(workplace: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=workplace) as place:
        yield Path(place)


@pytest.fixture
def generated(pristine: Generate, folder: Path) -> Generate:
    """A service of this test's own."""

    def copy(version: str, answers: Answers | None = None) -> Project:
        return pristine(version, answers).copy_to(folder / "service")

    return copy


@pytest.fixture(scope="session")
def edited(workplace: Path, pristine: Generate) -> Callable[..., tuple[Project, list[Trace]]]:
    """A service that a team has worked on: made once, to be copied by the test."""
    made: dict[tuple[str, tuple[str, ...]], tuple[Project, list[Trace]]] = {}

    def work(version: str, names: tuple[str, ...]) -> tuple[Project, list[Trace]]:
        if (version, names) not in made:
            project = pristine(version).copy_to(workplace / f"edited-{len(made)}")
            made[version, names] = project, edits.apply(names, project)
        return made[version, names]

    return work


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One line that says what the matrix found."""
    totals = dict.fromkeys(COUNTED, 0)
    for reports in list(terminalreporter.stats.values()):
        for report in reports:
            for name, value in getattr(report, "user_properties", []):
                if name in totals and report.when == "call":
                    totals[name] += value
    if totals["cases"]:
        said = ", ".join(f"{count} {name}" for name, count in totals.items())
        terminalreporter.write_line(f"updates: {said}")
