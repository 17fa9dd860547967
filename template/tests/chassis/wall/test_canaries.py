"""No answer of the service, to whatever request, holds a word that another tenant wrote."""

from collections.abc import Iterator

import pytest
from chassis.wall.comparison import everything
from chassis.wall.matrix import Matrix, Operation, Side, leaked


@pytest.mark.case("I-4")
async def test_a_rivals_id_answers_like_no_id_and_no_answer_holds_a_rivals_word(
    matrix: Matrix, us: Side, them: Side
) -> None:
    cells = await everything(matrix, us, them)
    assert cells >= 5
    assert not leaked(matrix.answers, [us, them])


@pytest.mark.parametrize("query", [{"cursor": "x"}, {"limit": 0}, {"limit": "canary"}, {"a": "b"}])
async def test_an_error_holds_no_rivals_word_either(
    matrix: Matrix, us: Side, them: Side, query: dict[str, str]
) -> None:
    lists = [op for op in matrix.operations if "cursor" in op.query and not op.ids]
    assert lists
    for operation in lists:
        await first_cursor(matrix, them, operation)
        refused = await us.client.get(operation.path, params=query)
        assert refused.status_code in {400, 422}
        assert not leaked([(us, refused)], [us, them])


async def first_cursor(matrix: Matrix, asker: Side, operation: Operation) -> str:
    for creator in [o for o in matrix.operations if (o.method, o.path) == ("POST", operation.path)]:
        for _ in range(2):
            await matrix.ask(asker, creator, await matrix.own(asker, creator))
    await asker.client.signed_in()
    page = await asker.client.get(operation.path, params={"limit": 1})
    cursor: str = page.json()["next_cursor"]
    return cursor


def changed(cursor: str) -> Iterator[str]:
    """Each character in turn, a piece cut off, and what decoders stumble over."""
    for at in range(0, len(cursor), 5):
        yield cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1 :]
    yield from (cursor[:-4], cursor + "AAAA", cursor[::-1], "", "=", "\u00e9", "AAAA")


async def test_a_cursor_works_for_whom_it_was_made_and_unchanged(
    matrix: Matrix, us: Side, them: Side
) -> None:
    for operation in [op for op in matrix.operations if "cursor" in op.query]:
        ours, theirs = [await first_cursor(matrix, s, operation) for s in (us, them)]
        used = await us.client.get(operation.path, params={"cursor": ours})
        assert used.status_code == 200
        assert us.canary in used.text or operation.path == "/v1/audit"
        for cursor in (theirs, *filter(None, changed(ours))):
            refused = await us.client.get(operation.path, params={"cursor": cursor})
            assert refused.status_code == 400, cursor
            assert not leaked([(us, refused)], [us, them])
