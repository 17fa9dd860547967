"""What callers receive: statuses, headers and bodies."""

from collections.abc import Iterator
from typing import Any

from dev.differ.documents import Json, Pair
from dev.differ.rules import RECEIVED, Break
from dev.differ.schemas import Comparison

PROBLEM = "application/problem+json"
# FastAPI writes the second for streams, of which OpenAPI 3.1 does not know.
SCHEMAS = ("schema", "itemSchema")


class Answers:
    def __init__(self, pair: Pair) -> None:
        self._pair = pair
        self._schemas = Comparison(pair, RECEIVED)

    def breaks(self, place: str, old: Json, new: Json) -> Iterator[Break]:
        known, there = old.get("responses", {}), new.get("responses", {})
        for status in known:
            if (after := _answer(there, status)) is not None:
                yield from self._answer(f"{place} {status}", known[status], after)
            elif _is_success(status):
                yield Break(f"{place} {status}", "response-status-removed")
        for status in there:
            if _answer(known, status) is None:
                yield from self._unheard_of(f"{place} {status}", status, there[status])

    def _unheard_of(self, place: str, status: str, answer: Json) -> Iterator[Break]:
        if _is_success(status):
            yield Break(place, "response-status-added")
        elif PROBLEM not in self._pair.after.resolved(answer).get("content", {}):
            yield Break(place, "error-form-unknown")

    def _answer(self, place: str, old: Json, new: Json) -> Iterator[Break]:
        if self._pair.same(old, new):
            return
        before, after = self._pair.before.resolved(old), self._pair.after.resolved(new)
        yield from self._headers(place, before.get("headers", {}), after.get("headers", {}))
        content = after.get("content", {})
        for media, said in before.get("content", {}).items():
            if media not in content:
                yield Break(place, "response-media-type-removed", media)
                continue
            for name in SCHEMAS:
                schemas = (_schema(each, name) for each in (said, content[media]))
                yield from self._schemas.breaks(f"{place} {media}", *schemas)

    def _headers(self, place: str, old: Json, new: Json) -> Iterator[Break]:
        there = {name.lower(): self._pair.after.resolved(each) for name, each in new.items()}
        for name, each in old.items():
            before, after = self._pair.before.resolved(each), there.get(name.lower())
            inside = f"{place} header {name}"
            if after is None:
                yield Break(inside, "response-header-removed")
                continue
            if before.get("required") and not after.get("required"):
                yield Break(inside, "response-header-removed", "may be missing")
            schemas = (_schema(said, "schema") for said in (before, after))
            yield from self._schemas.breaks(inside, *schemas)


def _schema(said: Json, name: str) -> Any:
    return said.get(name, True)


def _answer(answers: Json, status: str) -> Json | None:
    """A range of statuses, or all others, stand for those that are not named."""
    named: Json | None = answers.get(status, answers.get(f"{status[:1]}XX"))
    if named is None and not _is_success(status):
        named = answers.get("default")
    return named


def _is_success(status: str) -> bool:
    return status[:1] in {"1", "2", "3"}
