"""Each rule says no to what it is for, alone, and nothing to a change that breaks nobody."""

from datetime import date

import pytest
from chassis.differ.documents import LONGER, TEXT, answers, route, thing
from chassis.differ.route_fixtures import ENDING, ROUTES
from chassis.differ.schema_fixtures import SCHEMAS

from dev.differ import RULES, Json, breaks, explained

FIXTURES = {**ROUTES, **SCHEMAS}
TODAY = date(2030, 1, 1)


def test_each_rule_has_fixtures_and_each_fixture_a_rule() -> None:
    assert FIXTURES.keys() == RULES.keys()
    assert len(RULES) >= 25


@pytest.mark.parametrize("code", FIXTURES)
def test_what_breaks_a_rule_breaks_that_one_alone(code: str) -> None:
    before, fails, _ = FIXTURES[code]
    assert {found.code for found in breaks(before, fails, TODAY)} == {code}


@pytest.mark.parametrize("code", FIXTURES)
def test_what_is_close_to_it_and_harmless_breaks_nothing(code: str) -> None:
    before, _, passes = FIXTURES[code]
    assert before != passes
    assert breaks(before, passes, TODAY) == []


@pytest.mark.parametrize("code", RULES)
def test_each_rule_says_why_and_what_to_do_instead(code: str) -> None:
    rule = RULES[code]
    assert rule.says.endswith(".")
    assert rule.instead.endswith(".")
    assert rule.says != rule.instead


def test_a_break_is_told_with_its_place_what_broke_and_the_safe_way() -> None:
    before, fails, _ = FIXTURES["response-enum-widened"]
    (found,) = breaks(before, fails, TODAY)
    rule = RULES[found.code]
    said = explained(found)
    assert said.startswith('GET /things 200 application/json: "c"')
    assert rule.says in said
    assert rule.instead in said
    assert found.record == 'response-enum-widened GET /things 200 application/json "c"'
    assert LONGER["enum"][-1] in said


def ended(**changes: object) -> Json:
    return {**route(), "paths": {"/things": {"get": {**ENDING, **changes}}}}


@pytest.mark.parametrize(
    ("before", "today", "gone"),
    [
        (ended(), date(2030, 6, 30), False),
        (ended(), date(2030, 7, 1), True),
        (ended(deprecated=False), date(2031, 1, 1), False),
        ({**route(), "paths": route()["paths"]}, date(2031, 1, 1), False),
    ],
)
def test_a_route_may_go_after_its_sunset_and_not_a_day_before(
    before: Json, today: date, gone: object
) -> None:
    found = breaks(before, {**route(), "paths": {}}, today)
    assert ([each.code for each in found] == []) is gone


def test_a_sunset_that_is_no_date_lets_nothing_go() -> None:
    before, after = ended(**{"x-sunset": "soon"}), {**route(), "paths": {}}
    assert [found.code for found in breaks(before, after, TODAY)] == ["path-removed"]


def test_what_is_unchanged_but_unknown_breaks_nothing() -> None:
    strange = answers({"type": "object", "patternProperties": {"^x": {"type": "string"}}})
    other = answers({"type": "object", "patternProperties": {"^x": {"type": "integer"}}})
    assert breaks(strange, strange, TODAY) == []
    assert [found.code for found in breaks(strange, other, TODAY)] == ["cannot-be-judged"]


def told(**fields: Json) -> Json:
    """A route whose answer holds JSON inside of a string, as an event does."""
    return answers(
        {**TEXT, "contentMediaType": "application/json", "contentSchema": thing(**fields)}
    )


def test_what_an_event_holds_is_judged_like_any_other_answer() -> None:
    (found,) = breaks(told(a=TEXT, b=TEXT), told(a=TEXT), TODAY)
    assert (found.code, found.place) == (
        "response-field-removed",
        "GET /things 200 application/json .b",
    )
    assert breaks(told(a=TEXT), told(a=TEXT, b=TEXT), TODAY) == []
