"""The source of the chassis, taken apart: what its modules import and call."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHASSIS = ROOT / "src" / "service" / "chassis"
MODULES = {
    file.relative_to(CHASSIS).with_suffix("").as_posix().replace("/", "."): ast.parse(
        file.read_text("utf-8")
    )
    for file in sorted(CHASSIS.rglob("*.py"))
}


def imports(tree: ast.Module) -> Iterator[str]:
    """In full: `from a import b` is `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """By the name that is written."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def within(name: str, packages: frozenset[str]) -> bool:
    """Is it one of them, or in one of them?"""
    parts = name.split(".")
    return any(".".join(parts[:length]) in packages for length in range(1, len(parts) + 1))
