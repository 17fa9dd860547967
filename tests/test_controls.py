"""Remove a control, and the test that stands for it fails: no test is green by accident.

That each of them passes with its control is what `make ci` in test_generated.py shows.
"""

import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from rendering import Rendered

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


def outcome(service: Rendered, test: str, servers: Mapping[str, str]) -> tuple[int, str]:
    file, _, name = test.partition("::")
    selected = ["-k", name] if name else []
    return service.ends("pytest", "-p", "no:cacheprovider", "-x", file, *selected, **servers)


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.name)
def test_a_removed_control_is_noticed(
    default_render: Path, servers: Mapping[str, str], tmp_path: Path, control: Control
) -> None:
    service = Rendered(shutil.copytree(default_render, tmp_path / "service"))
    file = service.folder / control.file
    text = file.read_text("utf-8")
    assert text.count(control.present) == 1, "the control is not where the registry says"
    file.write_text(text.replace(control.present, control.removed), "utf-8")
    own = control.file.startswith(OWN_SERVERS) or "tests/dev" in control.noticed_by
    code, said = outcome(service, control.noticed_by, {} if own else servers)
    # Not 2 or 4 or 5: a test that cannot be collected, or is not there, notices nothing.
    assert code == SOME_FAILED, said[-2000:]
