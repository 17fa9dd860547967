"""Who implements the port. Another implementation is one more entry, and passes the same tests."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import TextIO

from chassis.jobs.chores import DECLARED

from service.chassis.application.jobs import Jobs
from service.chassis.application.put_jobs import PutJobs
from service.chassis.jobs_settings import JobsSettings

ROOT = Path(__file__).parents[3]
# Before the first job is done a process must load the service, on a machine that is busy.
STOPPED_WITHIN = 30


@dataclass
class Hand:
    """A worker's process, and what it said when it ended."""

    process: subprocess.Popen[bytes]
    # A file: a pipe holds only so much before its writer waits.
    said: TextIO

    def stop(self) -> int:
        """As an operator does it; how it ended."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(STOPPED_WITHIN)
        return self.process.returncode

    def lines(self) -> list[str]:
        self.said.seek(0)
        return self.said.read().splitlines()


@dataclass(frozen=True)
class Implementation:
    """The port inside this process, and how a worker is started: its way of life, its settings."""

    jobs: Callable[[JobsSettings], Jobs]
    start: Callable[..., Hand]


def procrastinate(environment: Mapping[str, str]) -> Implementation:
    def start(*how: str, **changes: str) -> Hand:
        command = [sys.executable, "-m", "chassis.jobs.hands", *(how or ("once",))]
        own = {"PATH": os.environ["PATH"], "PYTHONPATH": "src:.:tests"}
        quick = {"JOBS_LEASE_SECONDS": "2", "JOBS_CONCURRENCY": "8"}
        said = TemporaryFile("w+")  # noqa: SIM115  open as long as the process
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**own, **environment, **quick, **changes},
            stdout=said,
        )
        return Hand(process, said)

    return Implementation(lambda settings: PutJobs(DECLARED, settings), start)


IMPLEMENTATIONS: Mapping[str, Callable[[Mapping[str, str]], Implementation]] = {
    "procrastinate": procrastinate,
}


@contextmanager
def working(implementation: Implementation, *how: str, **changes: str) -> Generator[Hand]:
    hand = implementation.start(*how, **changes)
    try:
        yield hand
    finally:
        hand.stop()
        hand.said.close()
