"""One snapshot of the working tree and one default render for each worker."""

from pathlib import Path

import pytest

from rendering import Rendered, render, snapshot


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return snapshot(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def default_render(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Read only: tests that change something take `service`."""
    return render(source, tmp_path_factory.mktemp("default") / "service", {})


@pytest.fixture
def service(source: Path, tmp_path: Path) -> Rendered:
    return Rendered(render(source, tmp_path / "service", {}))
