"""Owned by the template: a Valkey of a test's own, which it may freeze and kill."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dev.children import Program, free_port, listening
from dev.valkey import binary, configuration, is_ready

PASSWORD = "password-of-a-test"


@dataclass(frozen=True)
class OwnValkey:
    url: str
    pid: int

    @contextmanager
    def frozen(self) -> Iterator[None]:
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)


@contextmanager
def own_valkey(folder: Path, port: int | None = None) -> Iterator[OwnValkey]:
    """With the same folder and port it is the same one, back again and without its memory."""
    home, log = folder / "valkey", folder / "valkey.log"
    home.mkdir(exist_ok=True)
    program = Program(
        name="Valkey",
        command=lambda port: [binary(), str(configuration(home, port, PASSWORD, keep=False))],
        ready=lambda _: is_ready(log),
        farewell=signal.SIGTERM,
        log=log,
    )
    with listening(program, lambda: port or free_port()) as chosen:
        pid = home / "valkey.pid"
        while not pid.exists():
            time.sleep(0.01)
        yield OwnValkey(f"redis://:{PASSWORD}@127.0.0.1:{chosen}/0", int(pid.read_text()))
