"""Reads the registered breaches of the wall from the `.sql` files of the folder `breaches`.

--- the name of the mutant (since the major release of Postgres that knows it)
-- who breaks it > the object that must be named > what must be found > and other objects
the SQL, in which {} is the name of the database
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "breaches"
ROLES = {"owner": "service_owner", "keeper": "service_keeper", "administrator": "postgres"}
HEAD = re.compile(
    r"(?P<name>.+?)(?: \(since (?P<since>\d+)\))?\n"
    r"-- (?P<by>\w+) > (?P<object>.+?) > (?P<finding>.+?)(?: > and (?P<also>.+))?\n(?P<sql>(?s:.+))"
)


@dataclass(frozen=True)
class Mutant:
    name: str
    by: str
    object: str
    finding: str
    sql: str
    also: frozenset[str]
    since: int

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


def mutants_in(file: Path) -> Iterator[Mutant]:
    _, *blocks = re.split(r"^--- ", file.read_text("utf-8"), flags=re.MULTILINE)
    for block in blocks:
        found = HEAD.fullmatch(block)
        assert found, f"{file.name}: cannot read the mutant {block!r}"
        also = frozenset((found["also"] or "").split(", ")) - {""}
        by, since = ROLES.get(found["by"], found["by"]), int(found["since"] or 0)
        yield Mutant(
            found["name"], by, found["object"], found["finding"], found["sql"], also, since
        )


MUTANTS = [mutant for file in sorted(FOLDER.glob("*.sql")) for mutant in mutants_in(file)]
