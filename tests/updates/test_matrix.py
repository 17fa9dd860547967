"""Whatever a team did within its files, an update keeps it where it is, and brings what is new."""

from collections.abc import Callable
from pathlib import Path

import pytest

from updates import edits
from updates.changes import EVERYTHING
from updates.places import Trace, broken
from updates.projects import Project
from updates.repositories import NEXT, RELEASES, Template

CONTEXTS = (3, 100_000)
Edited = Callable[..., tuple[Project, list[Trace]]]
Record = Callable[[str, object], None]
Case = tuple[str, tuple[str, ...], tuple[str, ...], int]


def cases() -> list[Case]:
    """From version, edits, changes of the next release, lines of context."""
    alone = [(edit,) for edit in edits.EDITS]
    together = [(), edits.COMPATIBLE, edits.WITHOUT_EXAMPLE]
    from_releases = [
        (version, edit, changes, context)
        for version in RELEASES
        for edit in alone + together
        for changes in ((), EVERYTHING)
        for context in CONTEXTS
    ]
    from_here = [(NEXT, edit, EVERYTHING, c) for edit in alone + together for c in CONTEXTS]
    each_change = [
        (NEXT, edit, (change,), context)
        for change in EVERYTHING
        for edit in together[1:]
        for context in CONTEXTS
    ]
    return [*from_releases, *from_here, *each_change, *_random()]


def _random() -> list[Case]:
    among = (edits.COMPATIBLE, edits.WITHOUT_EXAMPLE)
    versions = [*RELEASES, NEXT]
    return [
        (
            versions[seed % len(versions)],
            edits.drawn(seed, among[seed // 2 % 2]),
            edits.drawn(seed, EVERYTHING),
            CONTEXTS[seed % 3 % 2],
        )
        for seed in range(24)
    ]


def _named(case: Case) -> str:
    version, edit, change, context = case
    return f"{version}|{_short(edit)}|{_short(change)}|{context}"


def _short(names: tuple[str, ...]) -> str:
    many = {edits.COMPATIBLE: "all", edits.WITHOUT_EXAMPLE: "all_without_example"}
    return (
        many.get(names) or ("everything" if names == EVERYTHING else "+".join(names)) or "nothing"
    )


@pytest.mark.parametrize("case", cases(), ids=_named)
def test_an_update_keeps_what_the_team_wrote_and_brings_what_is_new(
    case: Case, template: Template, edited: Edited, folder: Path, record_property: Record
) -> None:
    version, names, changes, context = case
    release = template.release(changes)
    worked_on, theirs = edited(version, names)
    project = worked_on.copy_to(folder / "service")
    project.update(release.version, context=context)
    found = broken([*theirs, *release.traces], project)
    record_property("cases", 1)
    record_property("undeclared", len(project.stumbled()))
    for verdict in ("lost", "misplaced", "resurrected"):
        record_property(verdict, sum(line.startswith(verdict) for line in found))
    assert found == []
    assert project.stumbled() == set()
