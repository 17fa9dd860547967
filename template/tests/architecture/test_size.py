"""Small enough to read: functions of 30 lines at most, files of 250."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("src", "dev", "bench", "migrations", "tests")
FILE_LINES, FUNCTION_LINES = 250, 30
PYTHON = [
    file
    for folder in FOLDERS
    for file in sorted((ROOT / folder).rglob("*.py"))
    if not any(part.startswith(".") for part in file.relative_to(ROOT).parts)
]


def functions(file: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


@pytest.mark.parametrize("file", PYTHON, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_it_fits(file: Path) -> None:
    lines = len(file.read_text("utf-8").splitlines())
    assert lines <= FILE_LINES, f"{lines} lines; split it by the question that each part answers"
    long = {name: length for name, length in functions(file) if length > FUNCTION_LINES}
    assert not long, f"longer than {FUNCTION_LINES} lines; name a step and move it out: {long}"
