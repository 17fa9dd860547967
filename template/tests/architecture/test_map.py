"""ARCHITECTURE.md shows the tree that is really there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINE = re.compile(r"^(?P<indent>[│ ]*)[├└]── (?P<name>\S+)")
# Deleting the example must leave everything green.
REMOVABLE = {"src/service/product/notes"}
# Complete: a folder whose every child is on the map.
COMPLETE = ("src/service", "src/service/chassis", "migrations", "tests")


def drawn() -> set[str]:
    tree = (ROOT / "ARCHITECTURE.md").read_text("utf-8").split("## The tree")[1].split("```")[1]
    paths, above = set(), {}
    for line in tree.splitlines():
        if found := LINE.match(line):
            depth = len(found["indent"]) // 4
            above[depth] = found["name"].rstrip("/")
            paths.add("/".join(above[level] for level in range(depth + 1)))
    return paths


def test_everything_on_the_map_exists() -> None:
    assert [path for path in drawn() - REMOVABLE if not (ROOT / path).exists()] == []


def test_every_folder_of_the_service_is_on_the_map() -> None:
    on_map = drawn()
    there = {
        child.relative_to(ROOT).as_posix()
        for folder in COMPLETE
        for child in (ROOT / folder).iterdir()
        if child.is_dir() and not child.name.startswith((".", "__"))
    }
    assert there - on_map == set()


def test_every_module_of_the_chassis_root_is_on_the_map() -> None:
    modules = {p.relative_to(ROOT).as_posix() for p in (ROOT / "src/service/chassis").glob("*.py")}
    assert modules - {"src/service/chassis/__init__.py"} <= drawn()
