"""A cursor is followed only where it was given."""

from typing import Annotated

import pytest
from chassis.contract.limited import Limiting
from fastapi import APIRouter
from hypothesis import given
from hypothesis import strategies as st

from service.chassis.application.tenancy import Tenancy
from service.chassis.contract.guards import allow
from service.chassis.contract.pages import AskedPage, Cursors
from service.chassis.errors import Malformed
from service.chassis.identity import Action, TenantId

router = APIRouter()
CURSORS = Cursors("0123456789abcdef" * 4)


@given(st.lists(st.text(), max_size=4), st.text())
def test_a_cursor_opens_to_what_was_sealed(position: list[str], scope: str) -> None:
    assert CURSORS.open(scope, CURSORS.seal(scope, position)) == position


@given(st.text(max_size=200))
def test_what_was_never_sealed_is_refused(cursor: str) -> None:
    with pytest.raises(Malformed):
        CURSORS.open("acme /v1/notes", cursor)


def test_a_cursor_of_another_list_or_tenant_is_refused() -> None:
    cursor = CURSORS.seal("acme /v1/notes", ["1"])
    for scope in ("rival /v1/notes", "acme /v1/orders"):
        with pytest.raises(Malformed):
            CURSORS.open(scope, cursor)


def test_every_changed_character_is_noticed() -> None:
    cursor = CURSORS.seal("acme", ["2026-01-01", "an id"])
    for place, character in enumerate(cursor[:-1]):
        changed = cursor[:place] + ("A" if character != "A" else "B") + cursor[place + 1 :]
        with pytest.raises(Malformed):
            CURSORS.open("acme", changed)


@router.get("/paged")
async def paged(tenancy: Annotated[Tenancy, allow("pages", Action.READ)], asked: AskedPage) -> int:
    return asked.limit


EXTREME = ["0", "-1", "101", "1e9", "NaN", "9" * 400, "", "1.5"]
REFUSED = [f"limit={limit}" for limit in EXTREME] + [f"cursor={'a' * 501}", "offset=5", "sort=id"]


@pytest.mark.case("R-07")
async def test_no_page_is_larger_than_the_largest(limiting: Limiting, acme: TenantId) -> None:
    member = (await limiting(router)).member(acme)
    assert (await member.get("/v1/paged?limit=100")).json() == 100
    answers = {asked: (await member.get(f"/v1/paged?{asked}")).status_code for asked in REFUSED}
    assert set(answers.values()) == {422}, answers
    assert (await member.get("/v1/paged?cursor=AAAA")).status_code == 400
