"""What the tests of the development services share: a process to kill, and ways to look."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from dev.services import running

ROOT = Path(__file__).parents[2]
PARENT = """
import json, socket, sys, time
from pathlib import Path
from urllib.parse import urlsplit
from dev.services import running

with running(Path(sys.argv[1]), disposable=sys.argv[2] == "disposable") as services:
    urls = [services.admin_url, services.valkey_url]
    try:
        print(json.dumps(urls), flush=True)
        sys.stdin.read()
    except KeyboardInterrupt:
        time.sleep(0.3)
        for url in urls:
            socket.create_connection(("127.0.0.1", urlsplit(url).port)).close()
        print("both still answer", flush=True)
"""
Parent = Callable[..., subprocess.Popen[str]]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save the time of initdb: what others used and left, as the launcher promises, startable."""
    initialised = tmp_path_factory.mktemp("used before")
    with running(initialised, disposable=True):
        return initialised


@pytest.fixture
def parent() -> Iterator[Parent]:
    """Start another process that runs the services, and end it after the test."""
    started: list[subprocess.Popen[str]] = []

    def start(folder: Path, mode: str = "disposable", **options: Any) -> subprocess.Popen[str]:
        command = [options.pop("python", sys.executable), "-c", PARENT, str(folder), mode]
        given: dict[str, Any] = {"env": {**os.environ, "PYTHONPATH": str(ROOT)}, "text": True}
        options = given | options | {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        started.append(subprocess.Popen(command, start_new_session=True, **options))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def urls() -> Callable[[subprocess.Popen[str]], list[str]]:
    """Wait until that process says that the services run."""

    def read(process: subprocess.Popen[str]) -> list[str]:
        assert process.stdout is not None
        made: list[str] = json.loads(process.stdout.readline())
        return made

    return read


@pytest.fixture
def ask() -> Callable[[str, str], Any]:
    async def fetch(url: str, query: str) -> Any:
        connection = await asyncpg.connect(url, timeout=5)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return lambda url, query: asyncio.run(fetch(url, query))


@pytest.fixture
def commands() -> Callable[[Path], list[str]]:
    """Find the command lines of the servers that still run on a folder."""

    def found(folder: Path) -> list[str]:
        lines = subprocess.run(["ps", "-A", "-ww", "-o", "args="], capture_output=True, check=True)
        shown = os.fsdecode(lines.stdout).splitlines()
        servers = ("/postgres -D ", "/initdb -D ", "/valkey-server ")
        return [
            line for line in shown if str(folder) in line and any(word in line for word in servers)
        ]

    return found


@pytest.fixture
def soon() -> Callable[[Callable[[], object]], bool]:
    """Whether a condition comes true within five seconds."""

    def wait(condition: Callable[[], object]) -> bool:
        deadline = time.monotonic() + 5
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.01)
        return bool(condition())

    return wait
