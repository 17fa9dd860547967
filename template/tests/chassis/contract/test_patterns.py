"""No pattern in the source takes long for any text."""

import ast
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).parents[3] / "src" / "service"
SECONDS = 0.25
LENGTHS = (12, 16, 20, 22, 24, 26, 28, 30, 32, 34, 36, 4000)
UNITS = (
    "a",
    "0",
    " ",
    ".",
    "-",
    "/",
    ";",
    ",",
    "=",
    '"',
    "\\",
    ":",
    "[",
    "aA0",
    "a;",
    "a=a;",
    "\n",
)
Pattern = re.Pattern[str] | re.Pattern[bytes]


def literals(tree: ast.Module) -> Iterator[str | bytes]:
    """What is given to `re` and what is called a pattern, f-strings of the module filled in."""
    known = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        of_re = isinstance(call.func, ast.Attribute) and ast.unparse(call.func).startswith("re.")
        given = [*call.args[:1]] if of_re else []
        given += [each.value for each in call.keywords if each.arg == "pattern"]
        for each in given:
            if isinstance(each, ast.Constant | ast.JoinedStr):
                yield eval(ast.unparse(each), {name: _value(v) for name, v in known.items()})  # noqa: S307


def _value(node: ast.expr) -> object:
    return node.value if isinstance(node, ast.Constant) else None


def patterns() -> dict[str, Pattern]:
    found: dict[str, Pattern] = {}
    for file in sorted(SOURCE.rglob("*.py")):
        for literal in literals(ast.parse(file.read_text("utf-8"))):
            found[f"{file.relative_to(SOURCE).as_posix()} {literal!r}"] = re.compile(literal)
    return found


def hostile(pattern: Pattern, length: int) -> Iterator[str]:
    """Much of what the pattern itself names, and an end that it does not want."""
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode()
    named = {character for character in source if character.isascii()}
    for unit in (*UNITS, *sorted(named)):
        yield unit * (length // len(unit)) + "\x00!"


def slowest(pattern: Pattern) -> float:
    """Short texts first: one that grows beyond all patience is not tried at full length."""
    worst = 0.0
    texts = (text for length in LENGTHS for text in hostile(pattern, length))
    for text in texts:
        subject: Any = text if isinstance(pattern.pattern, str) else text.encode()
        began = time.thread_time()
        pattern.search(subject)
        pattern.fullmatch(subject)
        worst = max(worst, time.thread_time() - began)
        if worst > SECONDS:
            break
    return worst


PATTERNS = patterns()


def test_the_patterns_of_the_source_are_found() -> None:
    for known in ("telemetry/tracing.py", "contract/versions.py", "contract/intake.py"):
        assert any(name.startswith(f"chassis/{known}") for name in PATTERNS), known
    assert any("TENANCY" in name or "{1,32}" in name for name in PATTERNS), "a field's pattern"


@pytest.mark.case("V-08")
@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_is_quick_for_any_text(name: str) -> None:
    assert slowest(PATTERNS[name]) < SECONDS


@pytest.mark.case("V-08")
@pytest.mark.parametrize("evil", [r"^(a+)+$", r"([0-9.]+-?)*:$", r"^(a|aa)+$"])
def test_a_slow_pattern_would_be_noticed(evil: str) -> None:
    assert slowest(re.compile(evil)) > SECONDS
