"""The first run, as a newcomer has it: no Docker, no tool of ours, every way to stop it."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from rendering import ROOT, Rendered, render

pytestmark = pytest.mark.full
WAIT_SECONDS = 120
CURL = re.compile(r"curl -H 'authorization: (Bearer [^']+)' (http://[^ \n]+)")


def newcomer(**changes: str) -> dict[str, str]:
    """An environment without anything that this test run has activated."""
    strange = {"VIRTUAL_ENV", "PYTHONPATH", "UV_PROJECT_ENVIRONMENT", "MAKEFLAGS", "MAKELEVEL"}
    return {k: v for k, v in os.environ.items() if k not in strange} | changes


@contextmanager
def running(
    folder: Path, target: str, log: Path, **environ: str
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["make", target],
            cwd=folder,
            env=newcomer(**environ),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        stop(process, signal.SIGINT)


def stop(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """As a terminal does it: to everyone in it."""
    try:
        os.killpg(process.pid, number)
        process.wait(20)
    except ProcessLookupError:
        pass
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise


def curl_line(log: Path) -> tuple[str, str]:
    until = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < until:
        if found := CURL.search(log.read_text("utf-8")):
            return found[1], found[2]
        time.sleep(0.1)
    pytest.fail(log.read_text("utf-8"))


def answer(log: Path) -> Any:
    """What the printed curl line answers."""
    token, url = curl_line(log)
    until = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            return httpx2.get(url, headers={"authorization": token}).raise_for_status().json()
        except httpx2.TransportError:
            assert time.monotonic() < until, log.read_text("utf-8")
            time.sleep(0.1)


def processes_of(folder: Path) -> list[str]:
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    return [line for line in listed.stdout.splitlines() if f"{folder}/.dev" in line]


def test_the_demo_answers_the_first_time_and_again(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    checkout, log = tmp_path / "strongback", tmp_path / "log"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(checkout)], check=True)
    with running(checkout, "demo", log):
        assert answer(log) == {"items": [], "next_cursor": None}
    began = time.monotonic()
    with running(checkout, "demo", log):
        assert answer(log)["items"] == []
        record_property("make demo, warm, seconds", round(time.monotonic() - began, 1))


def test_it_stops_cleanly_and_its_data_survive_a_kill(service: Rendered, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running(service.folder, "dev", log) as process:
        answer(log)
        stop(process, signal.SIGINT)
    assert processes_of(service.folder) == [], "Ctrl-C left something running"
    with running(service.folder, "dev", log) as process:
        answer(log)
        tenants = json.loads((service.folder / ".dev/running.json").read_text())["tenants"]
        os.killpg(process.pid, signal.SIGKILL)
    with running(service.folder, "dev", log):
        answer(log)
        again = json.loads((service.folder / ".dev/running.json").read_text())["tenants"]
    assert again == tenants


def test_two_services_run_side_by_side(source: Path, tmp_path: Path) -> None:
    logs = [tmp_path / "one.log", tmp_path / "two.log"]
    folders = [render(source, tmp_path / name, {}) for name in ("one", "a path with späces")]
    with running(folders[0], "dev", logs[0]), running(folders[1], "dev", logs[1]):
        assert answer(logs[0]) == answer(logs[1])
        assert curl_line(logs[0])[1] != curl_line(logs[1])[1]


def test_a_home_that_cannot_be_written_is_no_obstacle(service: Rendered, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running(service.folder, "dev", log, HOME="/proc/nowhere", XDG_CACHE_HOME="/proc/none"):
        assert answer(log)["items"] == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_an_ordinary_user_needs_nothing_more(service: Rendered, tmp_path: Path) -> None:
    home = Path("/tmp") / f"newcomer-{os.getpid()}"  # noqa: S108 - others must reach it
    shutil.copytree(service.folder, home / "service")
    for path in [home, *home.rglob("*")]:
        os.chown(path, 65534, 65534)
    script = "cd service && exec make dev"
    log = tmp_path / "log"
    try:
        with as_nobody(script, home, log):
            assert answer(log)["items"] == []
    finally:
        shutil.rmtree(home)


@contextmanager
def as_nobody(script: str, home: Path, log: Path) -> Iterator[None]:
    environ: Mapping[str, str] = newcomer(HOME=str(home))
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["bash", "-c", script],
            cwd=home,
            env=environ,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user="nobody",
            group="nogroup",
            extra_groups=[],
        )
    try:
        yield
    finally:
        stop(process, signal.SIGINT)
