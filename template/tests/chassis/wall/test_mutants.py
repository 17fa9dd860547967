"""Every registered breach of the wall is found, by name, and an unbroken wall has no finding."""

import re
from importlib.resources import files

import asyncpg
import pytest
from chassis.wall.mutants import MUTANTS, Mutant

from dev.database import Server

CATALOGUE = (files("service.chassis.application") / "wall.sql").read_text("utf-8")
READERS = ("service_app", "service_worker", "service_readonly", "service_migrator")
Finding = tuple[str, str]


async def findings(connection: asyncpg.Connection, mutant: Mutant, database: str) -> list[Finding]:
    """What the catalogue tells the application's role about the mutant, which is then undone."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(f"SET LOCAL ROLE {mutant.by}")
        await connection.execute(mutant.sql.replace("{}", database))
        await connection.execute("SET LOCAL SESSION AUTHORIZATION service_app")
        return [(row["object"], row["finding"]) for row in await connection.fetch(CATALOGUE)]
    finally:
        await transaction.rollback()


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
async def test_a_breach_of_the_wall_is_found_and_its_object_named(
    administrator: asyncpg.Connection, probe_name: str, mutant: Mutant
) -> None:
    if administrator.get_server_version().major < mutant.since:
        pytest.skip(f"Postgres {mutant.since} is the first that knows this")
    found = await findings(administrator, mutant, probe_name)
    target = mutant.object.replace("{}", probe_name)
    assert [text for name, text in found if name == target and mutant.finding in text], found
    assert {name for name, _ in found} == {target, *mutant.also}


@pytest.mark.parametrize("reader", READERS)
async def test_an_unbroken_wall_has_no_finding_whoever_asks(
    server: Server, probe_name: str, reader: str
) -> None:
    connection = await asyncpg.connect(server.url(reader, probe_name))
    assert await connection.fetch(CATALOGUE) == []
    await connection.close()


def advice() -> list[str]:
    """Every text of the catalogue that says what is wrong; the fix comes after a semicolon."""
    # A literal that SQL continues on the next line is one literal.
    sql = re.sub(r"(?<!')'\s*\n\s*'", "", CATALOGUE.partition("\nWITH")[2])
    texts = re.findall(r"'((?:[^'\n]|'')*); (?:[^'\n]|'')*'", sql)
    assert len(texts) == sql.count("; "), "a text of the catalogue cannot be read"
    return [text.replace("''", "'") for text in texts]


def test_every_finding_of_the_catalogue_has_a_mutant() -> None:
    for text in advice():
        # What stands before and after a name that the catalogue fills in.
        fixed = max(text.split("%s"), key=len).strip(" ,")
        assert any(fixed in mutant.finding or mutant.finding in text for mutant in MUTANTS), (
            f"add a mutant to tests/chassis/wall/breaches that is found because it {text!r}"
        )


def test_there_are_many_mutants_and_none_twice() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 60
    assert len({mutant.sql for mutant in MUTANTS}) == len(MUTANTS)
