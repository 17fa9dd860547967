"""Whatever ends the development services, the next start works and strangers stay alive."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import redis

from dev import postgres, valkey
from dev.children import free_port
from dev.orphans import ps_shows
from dev.services import running

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of a parent's death")


@pytest.fixture
def process() -> Iterator[Any]:
    """Start a process that is no child of the launcher, and end it after the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen(command, stderr=subprocess.DEVNULL, **options))
        return started[-1]

    yield start
    for each in started:
        each.kill()
        each.wait()


def test_ctrl_c_stops_the_servers_after_what_uses_them(
    folder: Path, parent: Any, urls: Any, commands: Any
) -> None:
    # With its errors, so that what goes wrong is told.
    user = parent(folder, stderr=subprocess.STDOUT)
    urls(user)
    # It waits for input by then, also on a busy machine.
    time.sleep(0.5)
    os.killpg(user.pid, signal.SIGINT)
    said, _ = user.communicate(timeout=30)
    assert said == "both still answer\n"
    assert user.returncode == 0
    assert commands(folder) == []


@LINUX
def test_the_servers_die_with_a_killed_parent(
    folder: Path, parent: Any, urls: Any, commands: Any, soon: Any
) -> None:
    killed = parent(folder)
    urls(killed)
    assert len(commands(folder)) == 2
    killed.kill()
    assert soon(lambda: commands(folder) == [])


def test_a_killed_parent_leaves_its_data_and_nothing_that_blocks_the_next_start(
    folder: Path, parent: Any, urls: Any, ask: Any
) -> None:
    killed = parent(folder, "durable")
    admin_url, valkey_url = urls(killed)
    ask(admin_url, "CREATE TABLE note AS SELECT 'kept' AS text")
    redis.from_url(valkey_url).set("note", "kept")
    killed.kill()
    killed.wait()
    with running(folder) as services:
        assert ask(services.admin_url, "SELECT text FROM note") == "kept"
        assert redis.from_url(services.valkey_url).get("note") == b"kept"


def test_an_interrupted_initdb_does_not_block_the_next_start(
    tmp_path: Path, parent: Any, ask: Any, commands: Any, soon: Any
) -> None:
    killed = parent(tmp_path)
    assert soon(lambda: list(tmp_path.glob("postgres*/data/global")))
    killed.kill()
    assert soon(lambda: commands(tmp_path) == [])
    (tmp_path / "postgres.new-torn" / "data").mkdir(parents=True)
    with running(tmp_path, disposable=True) as services:
        assert ask(services.admin_url, "SELECT 1") == 1
    assert list(tmp_path.glob("postgres.new-*")) == []


def test_servers_that_outlived_their_parent_are_stopped_first(
    folder: Path, ask: Any, process: Any, soon: Any
) -> None:
    data, home, port = folder / "postgres" / "data", folder / "valkey", str(free_port())
    programs = postgres.first_complete(postgres.installations())
    words = [*postgres.without_root(), str(programs / "postgres"), "-D", str(data), "-k", ""]
    orphans = [process([*words, "-h", "127.0.0.1", "-p", port])]
    configured = valkey.configuration(home, free_port(), "old", keep=True)
    orphans += [process([valkey.binary(), str(configured)], stdout=subprocess.DEVNULL)]
    assert soon(lambda: postgres.is_ready(data, orphans[0].pid))
    assert soon((home / "valkey.pid").exists)
    assert ps_shows(orphans[0].pid, "postgres", data)
    assert ps_shows(orphans[1].pid, "valkey-server", home)
    with running(folder, disposable=True) as services:
        # Unreaped, both are zombies now: their pids exist and must not block.
        assert ask(services.admin_url, "SELECT 1") == 1
        assert [orphan.poll() for orphan in orphans] == [0, 0]


def test_a_reused_pid_is_never_killed(folder: Path, tmp_path: Path, ask: Any, process: Any) -> None:
    ours, theirs = folder, tmp_path / "theirs"
    data = ours / "postgres" / "data"
    stranger = process(["sleep", "60"], cwd=data)
    ended = process(["true"])
    with running(theirs, disposable=True) as neighbour:
        another = (theirs / "postgres" / "data" / "postmaster.pid").read_text()
        sleeping, gone = f"{stranger.pid}\n", f"{ended.pid}\n"
        for reused in (another, sleeping, gone, f"-{sleeping}", "torn"):
            (data / "postmaster.pid").write_text(reused)
            (ours / "valkey" / "valkey.pid").write_text(reused)
            with running(ours, disposable=True) as services:
                assert ask(services.admin_url, "SELECT 1") == 1
        assert ask(neighbour.admin_url, "SELECT 1") == 1
        assert not ps_shows(int(another.split()[0]), "postgres", data)
        assert stranger.poll() is None


@LINUX
def test_the_servers_outlive_the_thread_that_started_them(folder: Path, ask: Any) -> None:
    entered = running(folder, disposable=True)
    made = []
    starter = Thread(target=lambda: made.append(entered.__enter__()))
    starter.start()
    starter.join()
    try:
        assert ask(made[0].admin_url, "SELECT pg_sleep(0.3) IS NOT NULL")
    finally:
        entered.__exit__(None, None, None)
