"""Every table of the chassis is in a class, and every class says what it asks for."""

import re
from collections.abc import Iterable

from architecture.chassis_code import ROOT

from service.chassis.application.tables import Table

PAGE = (ROOT / "docs" / "data.md").read_text("utf-8")
# How it is kept, who sees it, what logs say of it, and whether a change shows.
ASKED = 4
CLASSES = {
    name: [cell.strip() for cell in cells.split("|")]
    for name, cells in re.findall(r"^\| \*\*(\w+)\*\* \| (.+) \|$", PAGE, re.MULTILINE)
}
TABLES = {
    name: (kinds.split(", "), kept)
    for name, kinds, kept in re.findall(
        r"^\| `(\w+)` \| ([\w, ]+) \| .+ \| (.+) \|$", PAGE, re.MULTILINE
    )
}


def of_the_chassis() -> set[str]:
    mapped = (mapper.class_ for mapper in Table.registry.mappers)
    return {
        str(each.__table__.name)
        for each in mapped
        if each.__module__.startswith("service.chassis.")
    }


def unclassed(tables: Iterable[str]) -> set[str]:
    return {name for name in tables if not set(TABLES.get(name, ([""], ""))[0]) <= set(CLASSES)}


def test_every_table_of_the_chassis_has_a_class() -> None:
    assert unclassed(of_the_chassis()) == set(), "say in docs/data.md what it holds"
    assert TABLES.keys() == of_the_chassis()
    assert len(TABLES) > 15
    assert unclassed({"members", "a_new_table"}) == {"a_new_table"}


def test_every_class_says_what_it_asks_for() -> None:
    assert {kind for kinds, _ in TABLES.values() for kind in kinds} == CLASSES.keys()
    assert all(len(cells) == ASKED and all(cells) for cells in CLASSES.values())
    assert all(kept.strip() for _, kept in TABLES.values())
