"""Pairs of large documents: each break that was planted is told at its place, and no other."""

import json
import os
from datetime import date
from functools import cache
from random import Random

import pytest
from chassis.differ.documents import Json
from chassis.differ.generated import Maker
from chassis.differ.harmless import grow, offer_more, rewritten
from chassis.differ.planted import BREAKING, on_operation
from chassis.differ.sites import Site, met, refers_to_itself, sites

from dev.differ import breaks

# `CONTRACT_PAIRS=20000` is the long run.
PAIRS, AT_ONCE = int(os.environ.get("CONTRACT_PAIRS", "520")), 26
MADE = 20
TODAY = date(2030, 1, 1)
Told = set[tuple[str, str]]


@cache
def made(number: int) -> str:
    return json.dumps(Maker(Random(number)).document())  # noqa: S311


def planted(dice: Random, after: Json, count: int) -> Told:
    """Changes the document; the name of a field and its rule, or a place and its rule."""
    offer_more(dice, after)
    expected = set(on_operation(dice, after)) if count and dice.random() < 0.5 else set()
    there = sites(after)
    on_fields: list[tuple[Site, str, str]] = []
    touched: list[str] = []
    for _ in range(count):
        site = untouched(dice, there, touched)
        before = json.dumps(site.parent)
        if told := dice.choice(BREAKING)(site):
            on_fields.append((site, *told))
            touched += [before, json.dumps(site.parent)]
    for _ in range(5):
        grow(untouched(dice, there, touched))
    still = met(after)
    for site, name, code in on_fields:
        # Another change may have cut the way from an operation to this one.
        parts = site.parts & still.get(id(site.parent), frozenset())
        expected |= {(f"{part} .{name}", code) for part in parts}
    return expected


def untouched(dice: Random, there: list[Site], touched: list[str]) -> Site:
    """Not in, nor around, what was changed already: two changes could hide one another."""
    while True:
        site = dice.choice(there)
        text = json.dumps(site.parent)
        if not any(text in other or other in text for other in touched):
            return site


def told(before: Json, after: Json) -> Told:
    """With the way to a field left out, for its name is its own."""
    found = set()
    for each in breaks(before, after, TODAY):
        head, dot, way = each.place.rpartition(" .")
        found.add((f"{head} .{way.rpartition('.')[2]}" if dot else each.place, each.code))
    return found


@pytest.mark.parametrize("batch", range(PAIRS // AT_ONCE))
def test_every_planted_break_is_found_and_none_is_invented(batch: int) -> None:
    for number in range(batch * AT_ONCE, (batch + 1) * AT_ONCE):
        dice = Random(number)  # noqa: S311
        before, after = (json.loads(made(number % MADE)) for _ in range(2))
        expected = planted(dice, after, count=dice.randint(0, 4))
        # Where every line is another one, a comparison takes ten times as long.
        after = rewritten(dice, after) if number % 8 == 0 else after
        assert told(before, after) == expected, number


def test_the_documents_are_large_and_refer_to_themselves() -> None:
    for number in range(MADE):
        document = json.loads(made(number))
        assert sum(len(item) for item in document["paths"].values()) >= 50
        assert len(sites(document)) > 100
        assert refers_to_itself(document)


def test_the_same_in_other_words_breaks_nothing_either_way() -> None:
    for number in range(6):
        document = json.loads(made(number))
        other = rewritten(Random(number), document)  # noqa: S311
        assert breaks(document, other, TODAY) == []
        assert breaks(other, document, TODAY) == []
        assert json.dumps(other) != json.dumps(document)
