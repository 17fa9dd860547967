"""What is asked of generated code holds for the code that proves it."""

import ast
from pathlib import Path

import pytest

from rendering import ROOT

FILE_LINES, FUNCTION_LINES = 250, 30
PYTHON = sorted(file for top in ("tests", "hooks") for file in (ROOT / top).rglob("*.py"))


@pytest.mark.parametrize("file", PYTHON, ids=lambda file: str(file.relative_to(ROOT)))
def test_it_fits(file: Path) -> None:
    text = file.read_text("utf-8")
    assert len(text.splitlines()) <= FILE_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < FUNCTION_LINES, node.name
