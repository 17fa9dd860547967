"""Every threat on the page names a control, and tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "threats.md").read_text("utf-8")
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
ROW = re.compile(r"^\| ([STRIDE]) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
BOUNDARIES = [part for part in PAGE.split("\n## ") if ROW.search(part)]


def exists(file: str, test: str) -> bool:
    path = ROOT / file
    return path.is_file() and f"def {test}(" in path.read_text("utf-8")


def test_every_test_that_is_named_exists() -> None:
    named = NAMED.findall(PAGE)
    assert [f"{file}::{test}" for file, test in named if not exists(file, test)] == []
    assert len(named) > 30
    assert not exists(named[0][0], "test_that_nobody_wrote")


def test_every_threat_has_a_control_and_a_test() -> None:
    lines = [line for line in PAGE.splitlines() if re.match(r"\| [A-Z] \|", line)]
    assert len(lines) == len(ROW.findall(PAGE)), "a row lacks a cell"
    assert [threat for _, threat, _, shown in ROW.findall(PAGE) if not NAMED.search(shown)] == []


@pytest.mark.parametrize("boundary", BOUNDARIES, ids=lambda part: part.partition("\n")[0])
def test_every_boundary_is_looked_at_from_all_six_sides(boundary: str) -> None:
    assert {row[0] for row in ROW.findall(boundary)} == set("STRIDE")
