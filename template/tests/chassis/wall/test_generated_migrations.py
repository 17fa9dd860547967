"""A generated migration puts each new table behind the wall, or shares it for a reason."""

import asyncio
from collections.abc import Generator
from pathlib import Path

import asyncpg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy.orm import Mapped, mapped_column

from dev.database import Server, alembic
from service.chassis.application.posture import WALL
from service.chassis.application.tables import Table, TenantOwned, shared_by_all_tenants

REVISION = "probe"


@pytest.fixture
def new_models() -> Generator[None]:
    """Mapped classes without a migration; no other test of the process may meet them."""

    class Invoice(TenantOwned, Table):
        __tablename__ = "probe_invoices"
        number: Mapped[str]

    class Country(Table):
        __tablename__ = "probe_countries"
        __table_args__ = shared_by_all_tenants("countries are the same for everyone")
        code: Mapped[str] = mapped_column(primary_key=True)

    yield
    for model in (Invoice, Country):
        Table.metadata.remove(Table.metadata.tables[model.__tablename__])


@pytest.fixture
def own_database(server: Server, database_name: str) -> Generator[str]:
    name = f"{database_name}_migrated"
    asyncio.run(server.clone("service_template", name))
    yield name
    asyncio.run(server.drop(name))


@pytest.fixture
def versions(server: Server, own_database: str, tmp_path: Path) -> Config:
    """Alembic as `make migration` runs it, with a folder of its own for what it writes."""
    config = alembic(server.url("service_migrator", own_database))
    places = config.get_main_option("version_locations")
    config.set_main_option("version_locations", f"{places}:{tmp_path}")
    return config


async def findings(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    rows = await connection.fetch(WALL.text)
    await connection.close()
    return [f"{row['object']}: {row['finding']}" for row in rows]


@pytest.mark.usefixtures("new_models")
def test_a_generated_migration_encloses_what_belongs_to_a_tenant(
    server: Server, own_database: str, versions: Config, tmp_path: Path
) -> None:
    command.revision(
        versions,
        "probe",
        autogenerate=True,
        head="product@head",
        version_path=str(tmp_path),
        rev_id=REVISION,
    )
    (script,) = tmp_path.glob("*.py")
    written = script.read_text("utf-8")
    assert "SELECT wall.enclose('probe_invoices')" in written
    assert "SELECT wall.share('probe_countries')" in written
    assert written.count("SELECT wall.") == 2
    command.upgrade(versions, "heads")
    app = server.url("service_app", own_database)
    assert asyncio.run(findings(app)) == []
    script.write_text(written.replace("wall.enclose('probe_invoices')", "1"), "utf-8")
    command.downgrade(versions, f"{REVISION}-1")
    command.upgrade(versions, "heads")
    assert "probe_invoices: has no forced" in "\n".join(asyncio.run(findings(app)))
