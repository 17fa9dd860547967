"""Writing, running and checking migrations."""

import asyncio
import io
import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command
from alembic.script import Script

from dev import database, laptop
from dev.checks import tool
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
        written = command.revision(
            database.alembic(migrator_url), message, autogenerate=True, head="product@head"
        )
    assert isinstance(written, Script)
    subprocess.run([tool("ruff"), "format", "--quiet", written.path], check=True)
    print(f"Read it before you commit it: {written.path}")


@contextmanager
def migrated_database() -> Iterator[str]:
    """The running service's database, or one that lives for a moment."""
    try:
        running = laptop.running_service()["environment"]
        url = running.get("MIGRATION_DATABASE_URL") or os.environ["MIGRATION_DATABASE_URL"]
    except KeyError:
        raise DevError("MIGRATION_DATABASE_URL: missing; the URL of service_migrator") from None
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
    """Lints the SQL that each migration emits."""
    with TemporaryDirectory() as folder:
        return lint_sql(emitted_sql(Path(folder)))


def lint_sql(files: Iterable[Path]) -> int:
    # Whether a drop is meant, no linter knows; a migration runs once, so it need not be robust.
    excluded = "ban-drop-table,ban-drop-column,prefer-robust-stmts"
    call = [tool("squawk"), "--assume-in-transaction", "--exclude", excluded]
    return subprocess.call([*call, *map(str, files)])


def emitted_sql(folder: Path) -> Iterator[Path]:
    """One file for each migration; Alembic's own BEGIN and COMMIT are left out."""
    text = io.StringIO()
    config = database.alembic("postgresql://offline")
    config.output_buffer = text
    command.upgrade(config, "heads", sql=True)
    for part in re.split(r"^-- Running upgrade ", text.getvalue(), flags=re.MULTILINE)[1:]:
        title, _, statements = part.partition("\n")
        revision = title.rpartition("-> ")[2].split()[0]
        file = folder / f"{revision}.sql"
        file.write_text(TIMEOUTS + re.sub(r"^(BEGIN|COMMIT);$", "", statements, flags=re.MULTILINE))
        yield file
