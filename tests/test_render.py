"""What comes out of a render: complete, pure, formatted, and plain Python all the way."""

import subprocess
import sys
from pathlib import Path

import pytest

from rendering import ROOT, TEMPLATE, Rendered, render
from twins import jinja_files, twins

LONGEST = {"service_name": "x" * 40, "service_description": "y" * 200, "owner_team": "z" * 80}
SHORTEST = {"service_name": "a", "service_description": "b", "owner_team": "c"}


def test_at_most_six_files_hold_jinja_and_none_is_python() -> None:
    files = [file.name for file in jinja_files()]
    assert len(files) <= 6
    assert not [name for name in files if name.endswith((".py.jinja", ".pyi.jinja"))]
    named = [file.name for file in TEMPLATE.rglob("*") if "{%" in file.name]
    assert named == []


@pytest.mark.parametrize(("twin", "place"), list(twins()), ids=lambda path: path.name)
def test_a_twin_is_what_its_jinja_file_renders_to(
    default_render: Path, twin: Path, place: Path
) -> None:
    assert twin.read_text("utf-8") == (default_render / place).read_text("utf-8"), "make twins"


def test_no_jinja_is_left_in_a_render(default_render: Path) -> None:
    written = {file.with_suffix("").relative_to(TEMPLATE) for file in jinja_files()}
    left = [
        path
        for path in written
        if (default_render / path).exists() and "{%" in (default_render / path).read_text("utf-8")
    ]
    assert left == []


def test_every_file_of_the_template_is_committed_and_arrives(default_render: Path) -> None:
    """`template/.gitignore` works here too: what it ignores would silently not be shipped."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "template"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    shipped = {Path(path).relative_to("template").as_posix() for path in listed}
    expected = {path.removesuffix(".jinja") for path in shipped if "{{" not in path}
    there = {
        path.relative_to(default_render).as_posix()
        for path in default_render.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(default_render).parts
    }
    assert there - {".copier-answers.yml"} == expected


def test_a_render_is_pure(source: Path, tmp_path: Path, default_render: Path) -> None:
    again = render(source, tmp_path / "service", {})
    for file in sorted(again.rglob("*")):
        if file.is_file():
            assert file.read_bytes() == (default_render / file.relative_to(again)).read_bytes()


@pytest.mark.parametrize("answers", [SHORTEST, LONGEST], ids=["shortest", "longest"])
def test_the_formatter_changes_nothing(
    source: Path, tmp_path: Path, answers: dict[str, str]
) -> None:
    Rendered(render(source, tmp_path / "service", answers)).check_style()


def test_every_path_works_on_every_system(source: Path) -> None:
    # The source and not TEMPLATE: what git ignores goes to nobody.
    for file in (source / "template").rglob("*"):
        path = file.relative_to(source / "template").as_posix()
        if "{{" not in path:
            assert not set('"<>:|?*\\') & set(path), path
        assert len(path) <= 120


def test_copying_asks_for_no_trust(source: Path, tmp_path: Path) -> None:
    call = [sys.executable, "-m", "copier", "copy", "--quiet", "--defaults"]
    environ = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    target = str(tmp_path / "service")
    done = subprocess.run(
        [*call, str(source), target], env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_dependencies_are_pinned_to_a_day_and_to_no_registry(default_render: Path) -> None:
    project = (default_render / "pyproject.toml").read_text("utf-8")
    assert "exclude-newer" in project
    for path in ("uv.lock", "package-lock.json"):
        assert not (default_render / path).exists()
