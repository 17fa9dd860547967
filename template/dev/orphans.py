"""A server that an earlier run left behind: found by its pid file, proven ours, then stopped."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from signal import SIGKILL, Signals

GONE_WITHIN = 10.0
GLANCE = 0.005


def stop_orphan(pid_file: Path, program: str, folder: Path, farewell: Signals) -> None:
    """Afterwards a stale pid file blocks nothing; a process that is not ours is never touched."""
    pid = recorded_pid(pid_file)
    for word in (farewell, SIGKILL):
        if runs_on(pid, program, folder):
            os.kill(pid, word)
            wait_until_gone(pid, program, folder)
    if not runs_on(pid, program, folder):
        # Even a zombie's pid, or a stranger's, would make Postgres refuse to start.
        pid_file.unlink(missing_ok=True)


def recorded_pid(pid_file: Path) -> int:
    try:
        return int(pid_file.read_text("utf-8").splitlines()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return 0


def runs_on(pid: int, program: str, folder: Path) -> bool:
    """Pids are reused: the name and the folder decide, not the number."""
    if pid <= 0:
        return False
    if sys.platform == "linux":
        return proc_shows(pid, program, folder)
    return ps_shows(pid, program, folder)


def proc_shows(pid: int, program: str, folder: Path) -> bool:
    """Both servers work inside their folder; of a zombie, the kernel no longer shows it."""
    process = Path("/proc") / str(pid)
    try:
        name = (process / "comm").read_text("utf-8", errors="replace").strip()
        return name == program and (process / "cwd").samefile(folder)
    except OSError:
        return False


def ps_shows(pid: int, program: str, folder: Path) -> bool:
    """Where there is no /proc: both servers name something in their folder as an argument."""
    argument = rf" {re.escape(str(folder))}(/| |$)"
    name = Path(ps(pid, "comm")).name
    return name == program and re.search(argument, ps(pid, "args")) is not None


def ps(pid: int, column: str) -> str:
    command = ["ps", "-ww", "-o", f"{column}=", "-p", str(pid)]
    return os.fsdecode(subprocess.run(command, capture_output=True, check=False).stdout).strip()


def wait_until_gone(pid: int, program: str, folder: Path) -> None:
    deadline = time.monotonic() + GONE_WITHIN
    while runs_on(pid, program, folder) and time.monotonic() < deadline:
        time.sleep(GLANCE)
