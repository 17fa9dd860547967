"""Child processes that die with us, however we die."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import Signals
from threading import Thread

from dev.errors import StartFailed

PORTS_TRIED = 5
READY_WITHIN = 60.0
STOPPED_WITHIN = 10.0
GLANCE = 0.005
PAUSE = 0.1
# prctl(PR_SET_PDEATHSIG) outlives exec and `unshare`, but not fork: hence a process that
# becomes the command. It gives up if we died before it could ask to be told.
SHIM = """
import ctypes, os, sys
parent, farewell, *command = sys.argv[1:]
ctypes.CDLL(None).prctl(1, int(farewell))
if os.getppid() == int(parent):
    os.execv(command[0], command)
"""


@dataclass(frozen=True)
class Program:
    """A server: how to start it on a port, how it says that it is ready, how to ask it to go."""

    name: str
    command: Callable[[int], Sequence[str]]
    ready: Callable[[int], bool]
    farewell: Signals
    log: Path


@dataclass(frozen=True)
class Child:
    """A running process, and the thread that is its parent in the eyes of the kernel."""

    process: subprocess.Popen[bytes]
    keeper: Thread
    farewell: Signals

    @property
    def alive(self) -> bool:
        """False from the moment that the process is reaped, not merely dead."""
        return self.keeper.is_alive()

    def wait(self) -> int:
        """Until it ends by itself; its exit status."""
        self.keeper.join()
        return self.process.wait()

    def stop(self) -> None:
        """Politely, then not; nothing happens when it has ended already."""
        self.process.send_signal(self.farewell)
        self.keeper.join(STOPPED_WITHIN)
        if self.alive:
            self.process.kill()
            self.keeper.join()


def start(command: Sequence[str], *, farewell: Signals, log: Path) -> Child:
    """Start a command whose first word is an absolute path."""
    launched: Future[subprocess.Popen[bytes]] = Future()
    words = [*dying_with_us(farewell), *command]
    keeper = Thread(target=keep, args=(words, log, launched), daemon=True)
    keeper.start()
    return Child(launched.result(), keeper, farewell)


def dying_with_us(farewell: Signals) -> list[str]:
    if sys.platform != "linux":
        return []
    return [sys.executable, "-ISc", SHIM, str(os.getpid()), str(farewell.value)]


def keep(words: Sequence[str], log: Path, launched: Future[subprocess.Popen[bytes]]) -> None:
    """Stays as long as the child: the kernel signals the death of the thread that forked."""
    try:
        process = launch(words, log)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        launched.set_exception(error)
    else:
        launched.set_result(process)
        process.wait()


def launch(words: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    log.touch(0o600)
    with log.open("wb") as output:
        return subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            umask=0o077,
            # Ctrl-C goes to a whole session; the servers must outlive what uses them.
            start_new_session=True,
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def listening(program: Program, choose_port: Callable[[], int] = free_port) -> Iterator[int]:
    """Yield the port; another one is tried when the program ends before it is ready."""
    for _ in range(PORTS_TRIED):
        port = choose_port()
        child = start(program.command(port), farewell=program.farewell, log=program.log)
        try:
            if became_ready(program, child):
                yield port
                return
        finally:
            child.stop()
        time.sleep(PAUSE)
    raise StartFailed(program.name, program.log)


def became_ready(program: Program, child: Child) -> bool:
    deadline = time.monotonic() + READY_WITHIN
    while child.alive:
        if program.ready(child.process.pid):
            return True
        if time.monotonic() > deadline:
            raise StartFailed(program.name, program.log)
        time.sleep(GLANCE)
    return False
