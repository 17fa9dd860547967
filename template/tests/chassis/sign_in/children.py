"""Providers as child processes on free ports of loopback."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGTERM

from dev.children import Program, listening


@contextmanager
def running(name: str, command: list[str], redirect_uris: list[str], log: Path) -> Iterator[int]:
    """Yield the port once it says that it is ready."""
    program = Program(
        name=name,
        command=lambda port: [*command, str(port), *redirect_uris],
        ready=lambda _: b"ready" in log.read_bytes(),
        farewell=SIGTERM,
        log=log,
    )
    with listening(program) as port:
        yield port
