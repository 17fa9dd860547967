"""Writing, running and checking migrations."""

import asyncio
import io
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command

from dev import database, laptop
from dev.errors import DevError
from dev.serve import prepared
from service.chassis.application.capability import CapabilityKey
from service.chassis.application.keys import install_key
from service.chassis.settings import load_settings

# What squawk cannot see from one file: `alembic upgrade` sets both timeouts for the session.
TIMEOUTS = "SET lock_timeout = '2s';\nSET statement_timeout = '60s';\n"


def migration(message: str) -> None:
    """Compares your models with a migrated database and writes the difference."""
    if not message.strip():
        raise DevError('Say what the migration does: make migration m="add colour to notes"')
    with migrated_database() as migrator_url:
        command.revision(
            database.alembic(migrator_url), message, autogenerate=True, head="product@head"
        )


@contextmanager
def migrated_database() -> Iterator[str]:
    """The running service's database, or one that lives for a moment."""
    try:
        url = laptop.running_service()["environment"]["MIGRATION_DATABASE_URL"]
    except laptop.NotRunning:
        with prepared(laptop.FOLDER) as ready:
            yield ready.environment["MIGRATION_DATABASE_URL"]
    else:
        database.migrate(url)
        yield url


def migrate() -> None:
    """For a deployment: migrates, then installs the current tenancy key."""
    url = os.environ.get("MIGRATION_DATABASE_URL")
    if not url:
        raise DevError("MIGRATION_DATABASE_URL: missing; the URL of the role service_migrator")
    database.migrate(url)
    asyncio.run(install_key(url, CapabilityKey.of(load_settings().tenancy)))


def squawk() -> int:
    """Lints the SQL that each migration of the product emits; the chassis' is linted upstream."""
    with TemporaryDirectory() as folder:
        files = [str(file) for file in emitted_sql(Path(folder))]
        if not files:
            return 0
        excluded = "prefer-robust-stmts,prefer-identity,ban-drop-table,ban-drop-column"
        return subprocess.call(["squawk", "--exclude", excluded, *files])


def emitted_sql(folder: Path) -> Iterator[Path]:
    text = io.StringIO()
    config = database.alembic("postgresql://offline")
    config.output_buffer = text
    command.upgrade(config, "heads", sql=True)
    for part in re.split(r"^-- Running upgrade ", text.getvalue(), flags=re.MULTILINE)[1:]:
        revision = part.split("\n", 1)[0].rpartition("-> ")[2].strip()
        file = folder / f"{revision.replace(' ', '_')}.sql"
        file.write_text(TIMEOUTS + "-- " + part)
        yield file
