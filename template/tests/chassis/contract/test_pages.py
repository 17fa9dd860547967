"""A cursor is followed only where it was given."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.chassis.contract.pages import Cursors
from service.chassis.errors import Malformed

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
