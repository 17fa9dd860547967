"""`make dev`: Postgres, Valkey, migrations, two tenants, the service and a worker, at once."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from dev import laptop
from dev.children import dying_with_us
from dev.database import ROOT, Server, create_and_migrate, migrate
from dev.errors import DevError
from dev.services import running
from dev.tokens import token_for
from service.chassis.application.capability import CapabilityKey
from service.chassis.application.keys import install_key
from service.chassis.application.system import SystemDoor, create_tenant, tenants_by_name
from service.chassis.settings import Settings

TENANTS = ("acme", "globex")
PREFERRED_PORT = 8000


@dataclass(frozen=True)
class Prepared:
    """Everything but the service itself: running, migrated and seeded."""

    admin_url: str
    environment: dict[str, str]
    tenants: dict[str, str]


def serve() -> int:
    with ExitStack() as stack:
        listener = stack.enter_context(listening(preferred_port()))
        ready = stack.enter_context(prepared(laptop.FOLDER, listener.getsockname()[1]))
        stack.enter_context(laptop.shown_to_other_commands(asdict(ready)))
        print(welcome(ready.environment, ready.tenants), flush=True)
        return watch(listener)


@contextmanager
def prepared(
    folder: Path, port: int = PREFERRED_PORT, *, disposable: bool = False
) -> Iterator[Prepared]:
    folder.mkdir(exist_ok=True)
    given = os.environ.get("DATABASE_URL")
    # A database that is given needs no server of ours.
    environ = {**os.environ, "ADMIN_DATABASE_URL": given} if given else os.environ
    with running(folder, disposable=disposable, environ=environ) as services:
        kept = laptop.remembered_secrets(folder)
        made = laptop.environment(services, kept, port)
        os.environ.update(made)
        if not given:
            create_and_migrate(Server(services.admin_url, kept), laptop.DATABASE)
        elif "MIGRATION_DATABASE_URL" in os.environ:
            migrate(os.environ["MIGRATION_DATABASE_URL"])
        yield Prepared(services.admin_url, made, asyncio.run(seed()))


async def seed() -> dict[str, str]:
    settings = Settings()
    if url := os.environ.get("MIGRATION_DATABASE_URL"):
        await install_key(url, CapabilityKey.of(settings.tenancy))
    if settings.database.system_url is None:
        return {}
    door = SystemDoor(settings.database)
    try:
        known = await tenants_by_name(door, actor="make dev")
        for name in set(TENANTS) - known.keys():
            known[name] = await create_tenant(door, actor="make dev", name=name)
    finally:
        await door.close()
    return {name: str(tenant_id) for name, tenant_id in known.items()}


def preferred_port() -> int:
    asked = os.environ.get("HTTP_PORT", str(PREFERRED_PORT))
    if not asked.isdecimal():
        raise DevError(f"HTTP_PORT: {asked!r} is no port; give a number like {PREFERRED_PORT}")
    return int(asked)


def listening(preferred: int) -> socket.socket:
    """Held from now on, so that two services that start together do not both take it."""
    for port in (preferred, 0):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen(128)
        except OSError:
            listener.close()
        else:
            return listener
    raise DevError("There is no free port on 127.0.0.1.")


def welcome(environment: Mapping[str, str], tenants: Mapping[str, str]) -> str:
    url = f"http://127.0.0.1:{environment['HTTP_PORT']}"
    lines = [f"The service is at {url}  (Ctrl-C stops everything)"]
    if TENANTS[0] in tenants:
        token = token_for(environment, tenants[TENANTS[0]], "editor")
        lines += ["Ask it something, as an editor of the tenant acme:", ""]
        lines += [f"  curl -H 'authorization: Bearer {token}' {url}/v1/notes", ""]
        lines += ["More tokens: make token tenant=globex role=viewer"]
    return "\n".join(lines)


def watch(listener: socket.socket) -> int:
    """The service in a process of its own, started anew when the code changes."""
    number = listener.fileno()
    command = [sys.executable, "-m", "uvicorn", "service.main:build", "--factory", "--reload"]
    command += ["--reload-dir", "src", "--fd", str(number), "--no-access-log", "--no-server-header"]
    shim = dying_with_us(signal.SIGTERM)
    process = subprocess.Popen([*shim, *command], cwd=ROOT, pass_fds=[number])
    # Ctrl-C reaches the child by itself; `kill` does not, and would leave it behind.
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    with working():
        while True:
            try:
                return max(process.wait(), 0)
            except KeyboardInterrupt:
                continue


@contextmanager
def working() -> Iterator[None]:
    """A worker beside the service; a database that is given may come without a queue."""
    if "DATABASE_QUEUE_URL" not in os.environ:
        yield
        return
    command = [*dying_with_us(signal.SIGTERM), sys.executable, "-m", "dev", "work"]
    worker = subprocess.Popen(command, cwd=ROOT)
    try:
        yield
    finally:
        worker.terminate()
        worker.wait()
