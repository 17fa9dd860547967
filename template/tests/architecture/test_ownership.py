"""Every file has one owner, and the rules that say so do not contradict each other."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.template_ownership import Ownership

ROOT = Path(__file__).parents[2]
OWNERSHIP = Ownership(ROOT)
CLASSES = {"seam", "once", "product", "shared", "chassis"}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """What git would track here: of this project, which may not be a repository yet."""
    empty = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "init", "--quiet", "--bare", str(empty)], check=True)
    untracked = _git(f"--git-dir={empty}", f"--work-tree={ROOT}", "ls-files", "-z", *NOT_IGNORED)
    return {_as_rendered(path) for path in {*untracked, *_git("ls-files", "-z")}}


NOT_IGNORED = ("--others", "--exclude-standard")


def _git(*arguments: str) -> Iterator[str]:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    paths = done.stdout.decode().split("\0")
    return (path for path in paths if path and (ROOT / path).is_file())


def _as_rendered(path: str) -> str:
    """In the template's repository some files still carry the template's suffix."""
    plain = path.removesuffix(".jinja")
    return ".copier-answers.yml" if "_copier_conf.answers_file" in plain else plain


def test_every_file_has_an_owner(files: set[str]) -> None:
    assert {"Makefile", "pyproject.toml", "src/service/main.py"} <= files
    orphans = sorted(path for path in files if OWNERSHIP.of(path) is None)
    assert not orphans, "Name their owner in .strongback/ownership.toml."


def test_the_classes_are_those_that_are_documented() -> None:
    assert {owner for owner, _ in OWNERSHIP.patterns} == CLASSES


def test_no_pattern_stands_twice() -> None:
    patterns = [pattern for _, pattern in OWNERSHIP.patterns]
    assert sorted(patterns) == sorted(set(patterns))


@pytest.mark.parametrize(("owner", "pattern"), OWNERSHIP.patterns)
def test_every_pattern_decides_for_some_path(owner: str, pattern: str) -> None:
    """A pattern that an earlier one covers promises an owner that no file will have."""
    path = pattern.replace("**", "a/b").replace("*", "a")
    assert OWNERSHIP.rule_for(path) == (owner, pattern)


def test_what_the_chassis_imports_exists() -> None:
    seams = [pattern for owner, pattern in OWNERSHIP.patterns if owner == "seam"]
    assert [path for path in seams if not (ROOT / path).is_file()] == []


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("src/service/product/orders/application.py", "product"),
        ("src/service/product/notes/models.py", "once"),
        ("src/service/chassis/app.py", "chassis"),
        ("product.mk", "product"),
        ("nested/product.mk", None),
        (".github/workflows/product-nightly.yml", "product"),
        (".github/workflows/ci.yml", "chassis"),
        ("migrations/product/p0001_notes.py", "once"),
        ("migrations/chassis/c0001_wall.py", "chassis"),
    ],
)
def test_a_file_belongs_to_the_first_class_that_matches(path: str, owner: str | None) -> None:
    assert OWNERSHIP.of(path) == owner
