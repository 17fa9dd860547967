"""`make cases`: which test stands for which attack, as a page."""

import ast
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from dev.database import ROOT

CATALOGUE = ROOT / "tests" / "cases.toml"
PAGE = ROOT / "docs" / "cases.md"
# Not the product's: this page is the template's.
FOLDERS = ("architecture", "chassis", "dev")
HEAD = """# What is tested against

Written by `make cases` from `tests/cases.toml` and the marks of the tests: edit those.
"""


def catalogue() -> dict[str, dict[str, str]]:
    return tomllib.loads(CATALOGUE.read_text("utf-8"))


def marked() -> dict[str, list[str]]:
    """The tests that stand for each id."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for folder in FOLDERS:
        for file in sorted((ROOT / "tests" / folder).rglob("test_*.py")):
            for case, test in _marks(file):
                found[case].append(f"{file.relative_to(ROOT / 'tests').as_posix()}::{test}")
    return dict(found)


def _marks(file: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for case in _cases(node.decorator_list):
                yield case, node.name


def _cases(decorators: list[ast.expr]) -> Iterator[str]:
    for mark in decorators:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.case":
            yield from (ast.literal_eval(argument) for argument in mark.args)


def page() -> str:
    tests = marked()
    lines = [HEAD]
    for group, cases in catalogue().items():
        lines += [f"## {group.capitalize()}", "", "| id | what happens | tests |", "|---|---|---|"]
        for case, what in cases.items():
            named = "<br>".join(f"`{test}`" for test in tests.get(case, []))
            lines.append(f"| {case} | {what} | {named} |")
        lines.append("")
    return "\n".join(lines)


def write() -> None:
    PAGE.write_text(page(), "utf-8")
