"""Postgres and Valkey for development and tests: given by the environment, or started here."""

import fcntl
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from dev import postgres, valkey
from dev.errors import FolderNotOurs, ServicesBusy

DYING_SECONDS, DYING_AT_MOST = 0.05, 10


@dataclass(frozen=True)
class Services:
    """Where the two servers answer, as their administrator."""

    admin_url: str
    valkey_url: str


@contextmanager
def running(
    folder: Path, *, disposable: bool = False, environ: Mapping[str, str] = os.environ
) -> Iterator[Services]:
    """ADMIN_DATABASE_URL and VALKEY_URL win: what is given is not started."""
    folder = folder.resolve()
    with ExitStack() as stack:
        stack.enter_context(claimed(folder))
        (folder / ".gitignore").write_text("*\n", "utf-8")
        admin_url = environ.get("ADMIN_DATABASE_URL") or stack.enter_context(
            postgres.running(folder, disposable=disposable)
        )
        valkey_url = environ.get("VALKEY_URL") or stack.enter_context(
            valkey.running(folder, disposable=disposable)
        )
        yield Services(admin_url, valkey_url)


def locked(number: int) -> bool:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def alive(pid: str) -> bool:
    """A process that was just killed keeps its lock until the kernel is done with it."""
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """One process at a time; the kernel ends the claim of a killed one."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        number = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except PermissionError:
        raise FolderNotOurs(folder) from None
    with os.fdopen(number, "r+"):
        deadline = time.monotonic() + DYING_AT_MOST
        while not locked(number):
            holder = os.pread(number, 20, 0).decode()
            if alive(holder) or time.monotonic() > deadline:
                raise ServicesBusy(folder, holder)
            time.sleep(DYING_SECONDS)
        if os.fstat(number).st_uid != os.geteuid():
            raise FolderNotOurs(folder)
        os.truncate(number, 0)
        os.pwrite(number, str(os.getpid()).encode(), 0)
        yield
