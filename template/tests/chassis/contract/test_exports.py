"""A cell is text, never a formula."""

import re

import pytest

from service.chassis.contract.exports import csv_safe

FORMULAS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\tx",
    "\rx",
    " =1+1",
    "\u00a0=1+1",
    "\uff1d1+1",
    "|calc",
    '=HYPERLINK("http://evil.example")',
    "=cmd|' /C calc'!A0",
]


@pytest.mark.case("V-16")
@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_shown_and_not_run(text: str) -> None:
    assert csv_safe(text) == f"'{text}"


INSIDE = {
    "x;=1+1": "x;'=1+1",
    "x;=1;+2": "x;'=1;'+2",
    "x\t=1+1": "x\t'=1+1",
    "x\n=1+1": "x\n'=1+1",
    "x\r\n=1+1": "x\r\n'=1+1",
    "x; @SUM(A1)": "x;' @SUM(A1)",
    'x;"=1+1': "x;'\"=1+1",
    "x;\t\uff1d1": "x;\t'\uff1d1",
    "\t=1+1": "'\t'=1+1",
    "\r=1+1": "'\r'=1+1",
}


@pytest.mark.case("V-16")
@pytest.mark.parametrize("text", INSIDE)
def test_a_formula_is_none_where_another_sign_separates_cells(text: str) -> None:
    safe = csv_safe(text)
    assert safe == INSIDE[text]
    # So does a spreadsheet cut it that is set to semicolons, and meets no quote at a beginning.
    cells = [cell.lstrip(' "') for cell in re.split(r"[;\t\r\n]", safe)]
    assert [cell for cell in cells if cell.startswith(("=", "+", "@", "\uff1d"))] == []


@pytest.mark.case("V-16")
@pytest.mark.parametrize(
    "value", ["Groceries", "a; b", "a=b", "a@b.example", "2026-11-21", "'quoted", ""]
)
def test_other_text_stays_as_it_is(value: str) -> None:
    assert csv_safe(value) == value


@pytest.mark.case("V-16")
def test_numbers_stay_numbers_and_nothing_is_nothing() -> None:
    assert [csv_safe(value) for value in (-5, -0.5, None)] == ["-5", "-0.5", ""]
