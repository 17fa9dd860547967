"""`make asvs`: how the chassis stands to OWASP ASVS 5.0, levels 1 and 2, as a page."""

import ast
import tomllib
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from dev.cases import FOLDERS
from dev.database import ROOT

TESTS = ROOT / "tests"
CHAPTERS = TESTS / "asvs"
PAGE = ROOT / "docs" / "asvs.md"
HEAD = """# Self-assessment: ASVS 5.0, level 2

Written by `make asvs` from `tests/asvs/`: edit that. What a number asks for is to be read in the
OWASP Application Security Verification Standard 5.0.0; here stands, in our own words, what the
chassis does about it. It is the template's own opinion and no audit, and it ends where your
features, your pages and your platform begin.

**met**: done, and each test that is named shows it. **unmet**: asked for and not done, with what
is missing. **yours**: only the team that uses the service can decide or do it. **not applicable**:
there is nothing here that it could be about.
"""


class Class(StrEnum):
    MET = "met"
    UNMET = "unmet"
    YOURS = "yours"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True)
class Entry:
    id: str
    level: int
    standing: Class
    why: str
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Chapter:
    number: int
    title: str
    entries: tuple[Entry, ...]


def assessment() -> list[Chapter]:
    return [_chapter(file) for file in sorted(CHAPTERS.glob("v*.toml"))]


def _chapter(file: Path) -> Chapter:
    read = tomllib.loads(file.read_text("utf-8"))
    title = read.pop("title")
    return Chapter(int(file.stem[1:]), title, tuple(_entry(*each) for each in read.items()))


def _entry(number: str, said: dict[str, object]) -> Entry:
    tests = said.pop("tests", [])
    assert isinstance(tests, list)
    level, standing, why = (said.pop(name) for name in ("level", "class", "why"))
    assert not said, f"{number}: nobody reads {', '.join(said)}"
    return Entry(number, int(str(level)), Class(str(standing)), str(why), tuple(map(str, tests)))


def collected() -> set[str]:
    """Every test that pytest would collect of those that the template owns."""
    return {
        f"{file.relative_to(TESTS).as_posix()}::{node.name}"
        for folder in FOLDERS
        for file in (TESTS / folder).rglob("test_*.py")
        for node in ast.parse(file.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    }


def figures(entries: list[Entry]) -> str:
    """Applicable is what the chassis could do: met, and not yet."""
    count = Counter(entry.standing for entry in entries)
    met, unmet = count[Class.MET], count[Class.UNMET]
    return (
        f"{met} of {met + unmet} applicable met, {count[Class.YOURS]} yours, "
        f"{count[Class.NOT_APPLICABLE]} not applicable"
    )


def page() -> str:
    chapters = assessment()
    entries = [entry for chapter in chapters for entry in chapter.entries]
    first = [entry for entry in entries if entry.level == 1]
    lines = [HEAD, f"- Levels 1 and 2: **{figures(entries)}**, {len(entries)} in all."]
    lines += [f"- Level 1 alone: {figures(first)}, {len(first)} in all.", ""]
    for standing in (Class.UNMET, Class.YOURS):
        named = [f"`{entry.id}`" for entry in entries if entry.standing is standing]
        lines += [f"{standing.capitalize()}: {', '.join(named)}.", ""]
    for chapter in chapters:
        lines += _section(chapter)
    return "\n".join(lines)


def _section(chapter: Chapter) -> list[str]:
    lines = [f"## {chapter.number} {chapter.title}", "", f"{figures([*chapter.entries])}.", ""]
    lines += ["| id | level | class | why | tests |", "|---|---|---|---|---|"]
    for entry in chapter.entries:
        tests = "<br>".join(f"`{test}`" for test in entry.tests)
        lines.append(f"| {entry.id} | {entry.level} | {entry.standing} | {entry.why} | {tests} |")
    return [*lines, ""]


def write() -> None:
    PAGE.write_text(page(), "utf-8")
