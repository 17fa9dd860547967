"""The chassis runs nothing that it is given, guesses no secrets, and reads no format that acts."""

import ast

import pytest
from architecture.chassis_code import MODULES, calls, imports, within

RUNS = frozenset(
    ("code", "ctypes", "dill", "marshal", "multiprocessing", "pickle", "pty", "runpy", "shelve")
) | {"subprocess", "jinja2", "lxml", "xml", "yaml"}
RUNNING = frozenset({"__import__", "compile", "eval", "exec"})
OF_THE_SYSTEM = ("os.exec", "os.fork", "os.popen", "os.posix_spawn", "os.spawn", "os.system")
STARTS = ("create_subprocess_exec", "create_subprocess_shell", "open_process", "run_process")
GUESSABLE = frozenset({"random", "uuid.uuid1", "numpy.random"})


def running(tree: ast.Module) -> list[str]:
    """What could run, start or bring to life something that came from outside."""
    imported = [name for name in imports(tree) if within(name, RUNS)]
    called = [name for name, _ in calls(tree)]
    return imported + [
        name
        for name in called
        if name in RUNNING or name.startswith(OF_THE_SYSTEM) or name.endswith(STARTS)
    ]


def guessable(tree: ast.Module) -> list[str]:
    imported = (name for name in imports(tree) if within(name, GUESSABLE))
    return [name for name in imported if name != "random.SystemRandom"]


def composed(tree: ast.Module) -> list[str]:
    """Patterns that are put together while the service runs."""
    constants = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return [
        ast.unparse(call.args[0])
        for name, call in calls(tree)
        if name.startswith("re.") and name != "re.escape"
        for part in ast.walk(call.args[0])
        if isinstance(part, ast.Name) and part.id not in constants
    ]


@pytest.mark.parametrize("module", MODULES)
def test_nothing_runs_what_it_is_given(module: str) -> None:
    assert running(MODULES[module]) == []


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from xml.etree import ElementTree",
        "from subprocess import run",
        "eval(sent)",
        "os.system(sent)",
        "await asyncio.create_subprocess_shell(sent)",
    ],
)
def test_what_could_run_something_is_noticed(line: str) -> None:
    assert len(running(ast.parse(f"async def f(sent):\n    {line}"))) == 1
    assert running(ast.parse("import json\njson.loads(sent)\nre.compile('a')")) == []


@pytest.mark.parametrize("module", MODULES)
def test_chance_comes_from_the_system_only(module: str) -> None:
    assert guessable(MODULES[module]) == []


def test_chance_from_elsewhere_is_noticed() -> None:
    assert guessable(ast.parse("from random import choice")) == ["random.choice"]
    assert guessable(ast.parse("import secrets\nfrom random import SystemRandom")) == []


@pytest.mark.parametrize("module", MODULES)
def test_no_pattern_is_made_of_what_somebody_sent(module: str) -> None:
    assert composed(MODULES[module]) == []


def test_a_pattern_that_is_made_of_something_is_noticed() -> None:
    assert composed(ast.parse("re.search(sent, text)")) == ["sent"]
    assert composed(ast.parse("re.fullmatch(f'{sent}+', text)")) == ["f'{sent}+'"]
    assert composed(ast.parse("WORD = 'a'\nre.compile(f'{WORD}+')")) == []
