"""Remove a control, and the test that stands for it fails: no test is green by accident.

That each of them passes with its control is what `make ci` in test_generated.py shows.
"""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.full
REGISTRY = Path(__file__).with_name("controls.toml")


@dataclass(frozen=True)
class Control:
    name: str
    file: str
    present: str
    removed: str
    noticed_by: str


CONTROLS = [Control(**entry) for entry in tomllib.loads(REGISTRY.read_text("utf-8"))["control"]]


SOME_FAILED = 1
# A mutant that waits for ever is noticed, too, and need not be waited for.
QUICKLY = ("-p", "no:cacheprovider", "-x", "-o", "timeout=40")
# What starts or fills a server cannot be tested on one that is there already.
OWN_SERVERS = ("dev/", "migrations/", "tests/")
SERVERS = """
import json, sys
from pathlib import Path
from dev.services import running
with running(Path(sys.argv[1]), disposable=True) as services:
    print(json.dumps([services.admin_url, services.valkey_url]), flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="session")
def servers(
    default_render: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, str]]:
    """One Postgres and one Valkey for many mutants: starting them takes longer than most tests."""
    command = [sys.executable, "-c", SERVERS, str(tmp_path_factory.mktemp("servers"))]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=default_render, text=True, **pipes) as process:  # type: ignore[call-overload]
        admin, valkey = json.loads(process.stdout.readline())
        yield {"ADMIN_DATABASE_URL": admin, "VALKEY_URL": valkey}


@pytest.fixture(scope="session")
def workshop(default_render: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One copy for all mutants in turn, with its bytecode."""
    return Path(shutil.copytree(default_render, tmp_path_factory.mktemp("mutants") / "service"))


class Forks:
    """Most of what a test takes is starting Python and importing: done once for all mutants."""

    def __init__(self, folder: Path) -> None:
        self._said = folder.parent / "said.txt"
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("forks.py"))],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": "src:.:tests"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def outcome(self, test: str, environ: Mapping[str, str]) -> tuple[int, str]:
        file, _, name = test.partition("::")
        arguments = [*QUICKLY, file, *(["-k", name] if name else [])]
        asked = {"arguments": arguments, "environ": dict(environ), "said": str(self._said)}
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        code = int(self._process.stdout.readline())
        return code, self._said.read_text("utf-8", "replace")

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture(scope="session")
def forks(workshop: Path) -> Iterator[Forks]:
    with closing(Forks(workshop)) as forks:
        yield forks


@contextmanager
def mutated(file: Path, control: Control) -> Iterator[None]:
    text = file.read_text("utf-8")
    assert text.count(control.present) == 1, "the control is not where the registry says"
    file.write_text(text.replace(control.present, control.removed), "utf-8")
    try:
        yield
    finally:
        file.write_text(text, "utf-8")


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.name)
def test_a_removed_control_is_noticed(
    workshop: Path, forks: Forks, servers: Mapping[str, str], control: Control
) -> None:
    own = control.file.startswith(OWN_SERVERS) or "tests/dev" in control.noticed_by
    with mutated(workshop / control.file, control):
        code, said = forks.outcome(control.noticed_by, {} if own else servers)
    # Not 2 or 4 or 5: a test that cannot be collected, or is not there, notices nothing.
    assert code == SOME_FAILED, said[-2000:]


# By the wall's own mutants, and by services in its tests that tell what exists.
OF_THE_WALL = {"I-4"}


def test_each_case_that_is_tested_against_has_a_control_that_is_removed(
    default_render: Path,
) -> None:
    """Else its tests might be green whatever the service does."""
    code = (
        "import json, dev.cases as c; print(json.dumps({k: [*v] for k, v in c.marked().items()}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=default_render,
        env={**os.environ, "PYTHONPATH": "src:.:tests"},
        capture_output=True,
        text=True,
        check=True,
    )
    noticing = tuple(control.noticed_by.removeprefix("tests/") for control in CONTROLS)
    cases: dict[str, list[str]] = json.loads(done.stdout)
    assert len(cases) >= 63
    shown = {case for case, tests in cases.items() if any(t.startswith(noticing) for t in tests)}
    assert cases.keys() - shown == OF_THE_WALL
