"""Every requirement of ASVS 5.0 up to level 2 is classed once, and what is called met has tests."""

import re
import tomllib
from dataclasses import replace

from dev.asvs import CHAPTERS, PAGE, Class, Entry, assessment, collected, page

# Levels 1 and 2 of version 5.0.0, by chapter: one that is removed or made up is noticed.
REQUIREMENTS = (27, 11, 19, 10, 9, 35, 18, 7, 7, 29, 14, 9, 13, 9, 13, 16, 7)
FIRST_LEVEL = 70
ASSESSMENT = assessment()
ENTRIES = [entry for chapter in ASSESSMENT for entry in chapter.entries]


def unfounded(entries: list[Entry]) -> list[str]:
    """What is called met without a test that exists, or has tests without being called met."""
    known = collected()
    return [
        entry.id
        for entry in entries
        if (entry.standing is Class.MET) != bool(entry.tests) or not known.issuperset(entry.tests)
    ]


def test_every_requirement_is_classed_once() -> None:
    assert tuple(len(chapter.entries) for chapter in ASSESSMENT) == REQUIREMENTS
    assert len({entry.id for entry in ENTRIES}) == len(ENTRIES) == sum(REQUIREMENTS)
    assert sum(entry.level == 1 for entry in ENTRIES) == FIRST_LEVEL
    assert {entry.level for entry in ENTRIES} == {1, 2}
    for chapter in ASSESSMENT:
        numbers = [entry.id for entry in chapter.entries]
        assert all(re.fullmatch(rf"V{chapter.number}\.\d+\.\d+", each) for each in numbers)
        assert numbers == sorted(numbers, key=lambda each: [int(n) for n in each[1:].split(".")])


def test_what_is_called_met_is_shown_by_tests_that_exist() -> None:
    assert unfounded(ENTRIES) == []


def test_a_claim_without_a_test_is_noticed() -> None:
    met = next(entry for entry in ENTRIES if entry.standing is Class.MET)
    unmet = next(entry for entry in ENTRIES if entry.standing is Class.UNMET)
    made_up = f"{met.tests[0]}_that_nobody_wrote"
    assert unfounded([replace(met, tests=(*met.tests, made_up))]) == [met.id]
    assert unfounded([replace(met, tests=())]) == [met.id]
    assert unfounded([replace(unmet, tests=met.tests)]) == [unmet.id]
    assert unfounded([met, unmet]) == []


def test_every_class_says_why() -> None:
    assert [entry.id for entry in ENTRIES if len(entry.why.split()) < 2] == []
    assert [entry.id for entry in ENTRIES if "|" in entry.why or "\n" in entry.why] == []


def test_the_page_is_written_from_the_assessment() -> None:
    assert len(list(CHAPTERS.iterdir())) == len(REQUIREMENTS)
    assert all("title" in tomllib.loads(file.read_text("utf-8")) for file in CHAPTERS.iterdir())
    assert PAGE.read_text("utf-8") == page(), "run: make asvs"
