"""One snapshot of the working tree and one default render for each worker."""

import subprocess
from pathlib import Path

import pytest

from rendering import Rendered, render, snapshot


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return snapshot(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The snapshot as a repository with a release, for commands that update."""
    folder = snapshot(tmp_path_factory.mktemp("released"))
    who = ("-c", "user.name=Strongback", "-c", "user.email=strongback@example.com")
    for command in (
        ("init", "--quiet", "--initial-branch=main"),
        ("add", "--all"),
        (*who, "commit", "--quiet", "--message", "Release"),
        (*who, "tag", "--annotate", "--message", "Release", "1000.0.0"),
    ):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


@pytest.fixture(scope="session")
def default_render(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Read only: tests that change something take `service`."""
    return render(source, tmp_path_factory.mktemp("default") / "service", {})


@pytest.fixture
def service(source: Path, tmp_path: Path) -> Rendered:
    return Rendered(render(source, tmp_path / "service", {}))
