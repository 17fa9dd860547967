"""The service's environment on a laptop: everything `.env.example` asks for, made up once."""

import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dev.database import LOGINS, ROOT, Server
from dev.errors import DevError
from dev.services import Services

FOLDER = ROOT / ".dev"
KEYS = ("TENANCY_KEY", "HTTP_CURSOR_KEY", "IDENTITY_SIGNING_KEY")
DATABASE = "service"


class NotRunning(DevError):
    """The command needs the development service; the message says how to start it."""


def remembered_secrets(folder: Path) -> dict[str, str]:
    """Random at the first start and kept, so that tokens and data outlive a restart."""
    file = folder / "secrets.json"
    kept = _read_secrets(file) if file.exists() else {}
    missing = [name for name in (*KEYS, *LOGINS) if name not in kept]
    if missing:
        kept |= {name: secrets.token_hex(32) for name in missing}
        new = file.with_suffix(".new")
        new.touch(0o600)
        new.write_text(json.dumps(kept))
        new.rename(file)
    return kept


def _read_secrets(file: Path) -> dict[str, str]:
    try:
        return {str(name): str(value) for name, value in json.loads(file.read_text()).items()}
    except (ValueError, AttributeError):
        raise DevError(f"{file} is damaged; remove {file.parent} to start empty.") from None


def environment(services: Services, kept: Mapping[str, str], port: int) -> dict[str, str]:
    """What is set already wins: `DATABASE_URL=… make dev` works on that database."""
    made = {
        "SERVICE_ENVIRONMENT": "development",
        "HTTP_PORT": str(port),
        "VALKEY_URL": services.valkey_url,
        "TELEMETRY_LOG_FORMAT": "console",
        **{name: kept[name] for name in KEYS},
        **({} if "DATABASE_URL" in os.environ else database_urls(services.admin_url, kept)),
    }
    given = {name: os.environ[name] for name in made if name in os.environ}
    return {**made, **given, "HTTP_PORT": str(port)}


def database_urls(admin_url: str, passwords: Mapping[str, str]) -> dict[str, str]:
    server = Server(admin_url, passwords)
    return {
        "DATABASE_URL": server.url("service_app", DATABASE),
        "DATABASE_QUEUE_URL": server.url("service_worker", DATABASE),
        "DATABASE_SYSTEM_URL": server.url("service_system", DATABASE),
        "MIGRATION_DATABASE_URL": server.url("service_migrator", DATABASE),
    }


@contextmanager
def shown_to_other_commands(running: Mapping[str, Any]) -> Iterator[None]:
    """`make token` and `make migration` in another terminal find the service by this file."""
    file = FOLDER / "running.json"
    file.unlink(missing_ok=True)
    file.touch(0o600)
    file.write_text(json.dumps({**running, "pid": os.getpid()}))
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def running_service() -> dict[str, Any]:
    file = FOLDER / "running.json"
    try:
        running: dict[str, Any] = json.loads(file.read_text())
        os.kill(running["pid"], 0)
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        raise NotRunning("The service is not running here; start it with: make dev") from None
    return running
