"""What two documents offer: paths, parameters, bodies, answers and ways to sign in."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from dev.differ.answers import Answers
from dev.differ.documents import Document, Json, Pair
from dev.differ.requests import Requests
from dev.differ.rules import Break, Unjudged

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
# What rules are about, and what only readers see. Another name of an operation is one for them.
UNDERSTOOD = frozenset(
    ("parameters", "requestBody", "responses", "security", "deprecated", "tags", "summary")
) | {"description", "operationId", "externalDocs"}
SUNSET = "x-sunset"


def breaks(before: Json, after: Json, today: date) -> list[Break]:
    """Each break once, in the order of the places. What was to end before today may be gone."""
    return sorted(set(Documents(Pair(Document(before), Document(after)), today).breaks()))


class Documents:
    def __init__(self, pair: Pair, today: date) -> None:
        self._pair = pair
        self._today = today
        self._requests = Requests(pair)
        self._answers = Answers(pair)

    def breaks(self) -> Iterator[Break]:
        old, new = (_paths(each.content) for each in (self._pair.before, self._pair.after))
        for address, (path, operations) in old.items():
            there = new.get(address, ("", {}))[1]
            gone = [m for m in operations if m not in there and not self._ended(operations[m])]
            if gone and not there:
                yield Break(path, "path-removed", ", ".join(method.upper() for method in gone))
            else:
                yield from (Break(f"{m.upper()} {path}", "operation-removed") for m in gone)
            for method in operations.keys() & there.keys():
                place = f"{method.upper()} {path}"
                yield from self._operation(place, operations[method], there[method])
        for name in ("webhooks", "servers"):
            if not self._pair.same(*(d.content.get(name) for d in self._documents)):
                yield Break("the document", "cannot-be-judged", name)

    @property
    def _documents(self) -> tuple[Document, Document]:
        return self._pair.before, self._pair.after

    def _ended(self, operation: Json) -> bool:
        """As it was announced: the route says so itself, and the day is past."""
        try:
            return bool(operation.get("deprecated")) and _day(operation[SUNSET]) < self._today
        except (KeyError, Unjudged):
            return False

    def _operation(self, place: str, old: Json, new: Json) -> Iterator[Break]:
        try:
            yield from self._promises(place, old, new)
            yield from self._requests.breaks(place, old, new)
            yield from self._answers.breaks(place, old, new)
        except Unjudged as unjudged:
            yield Break(place, "cannot-be-judged", str(unjudged))

    def _promises(self, place: str, old: Json, new: Json) -> Iterator[Break]:
        if SUNSET in old and new.get("deprecated"):
            sunset = new.get(SUNSET)
            if not sunset or _day(sunset) < _day(old[SUNSET]):
                yield Break(place, "sunset-brought-forward", f"{old[SUNSET]} to {sunset}")
        for name in sorted((old.keys() | new.keys()) - UNDERSTOOD):
            if name[:2] != "x-" and not self._pair.same(old.get(name), new.get(name)):
                yield Break(place, "cannot-be-judged", name)


def _day(said: Any) -> date:
    try:
        return date.fromisoformat(str(said))
    except ValueError:
        raise Unjudged(f"{said} is no date") from None


def _paths(content: Json) -> dict[str, tuple[str, dict[str, Json]]]:
    """By what callers can tell apart: another name of a parameter in a path is the same path."""
    found: dict[str, tuple[str, dict[str, Json]]] = {}
    for path, item in content.get("paths", {}).items():
        shared = item.get("parameters", [])
        default = content.get("security", [])
        operations = {
            method: {
                "security": default,
                **item[method],
                "parameters": [*shared, *item[method].get("parameters", [])],
                "x-path": path,
            }
            for method in METHODS
            if method in item
        }
        if operations:
            found[re.sub(r"\{[^}]*\}", "{}", path)] = (path, operations)
    return found
