"""What callers rely on is locked in two files, and nothing breaks them without a record."""

import json
from collections import Counter

import pytest
from fastapi import APIRouter

from dev.accepted import Records
from dev.contract import report, stale
from dev.differ import RULES, Break
from dev.locks import CHASSIS, PRODUCT, joined, locked, on_disk, served, written
from dev.surface_code import application
from service.chassis.contract.guards import public
from service.product import FEATURES

FIX = "Run: make contract"
# The rows of the page's first table.
COMMANDS = 3


@pytest.fixture
def added() -> APIRouter:
    router = APIRouter(dependencies=[public("tests")])

    @router.get("/parcels")
    async def parcels() -> list[str]:
        return []

    return router


def test_the_locks_are_what_the_code_serves() -> None:
    assert stale() == [], FIX


def test_both_together_are_the_whole_document() -> None:
    whole = application(FEATURES).openapi()
    together = joined(*served().values())
    assert together["paths"] == whole["paths"]
    for kind, named in whole["components"].items():
        assert together["components"][kind].items() >= named.items()


def test_a_route_of_a_feature_changes_the_lock_of_the_features_only(added: APIRouter) -> None:
    now, then = served([*FEATURES, added]), served()
    assert now[CHASSIS] == then[CHASSIS]
    assert now[PRODUCT]["paths"].keys() - then[PRODUCT]["paths"].keys() == {"/v1/parcels"}
    assert stale([*FEATURES, added]) == [PRODUCT]


def test_a_lock_says_the_same_after_it_was_read() -> None:
    for text in filter(None, map(on_disk, (CHASSIS, PRODUCT))):
        assert written(json.loads(text)) == text


def test_which_answers_were_given_plays_no_part() -> None:
    assert "/v1/sign-in/password" in locked()["paths"]
    assert "/v1/sign-in/password" not in application((), accounts=False).openapi()["paths"]


def test_a_record_stands_for_one_break_once() -> None:
    gone = Break("GET /v1/parcels", "operation-removed")
    once = Records(accepted=Counter([gone.record]))
    again = Records(accepted=Counter([gone.record, gone.record]))
    assert once.unaccepted([gone], before=Records()) == []
    assert once.unaccepted([gone], before=once) == [gone]
    assert again.unaccepted([gone], before=once) == []
    assert Records(standing=frozenset({gone.record})).unaccepted([gone], before=once) == []


def test_the_page_lists_each_rule_with_its_reason_and_the_safe_way() -> None:
    page = on_disk("docs/api-versioning.md") or ""
    rows = [f"| `{rule.code}` | {rule.says} | {rule.instead} |" for rule in RULES.values()]
    assert [row for row in rows if row not in page] == []
    assert page.count("\n| `") == len(rows) + COMMANDS


def test_what_many_routes_share_is_told_once() -> None:
    place = "GET /v1/parcels{} 200 application/json .weight"
    found = [Break(place.format(n), "response-field-removed") for n in range(9)]
    other = Break("GET /v1/parcels 200 application/json .size", "response-field-removed")
    said = report([*found, other])
    assert said.count("response-field-removed:") == 2
    assert "and 4 more" in said
    assert other.place in said
