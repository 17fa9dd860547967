"""Whether every value of one schema is one of another, and where not.

What a caller sends: each value of the older must be one of the newer. What a caller receives: the
other way round, except that callers ignore fields that they do not know.
"""

import json
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from dev.differ.catalogue import code_of
from dev.differ.documents import Document, Json, Pair
from dev.differ.rules import RECEIVED, SENT, Break, Direction, Unjudged
from dev.differ.shapes import KNOWN, alternatives, annotation
from dev.differ.values import differences

Key = tuple[str, str]
# Not a difference: all that is found between two schemas that are being compared already.
AGAIN = "again"


class Found(NamedTuple):
    inside: str
    # What of the schema, and what exactly.
    about: str
    what: str = ""
    # The same wherever it is met: what a hundred ways lead to is told with the first of them.
    origin: Any = None


class Comparison:
    """Of the schemas of two documents, for one way that data go."""

    def __init__(self, pair: Pair, direction: Direction) -> None:
        self._pair = pair
        self._direction = direction
        self._sent = direction is SENT
        self._known: dict[Key, list[Found]] = {}
        self._open: set[Key] = set()

    def breaks(self, place: str, old: Any, new: Any) -> Iterator[Break]:
        sub, sup = (old, new) if self._sent else (new, old)
        try:
            found = [*self._defaults("", sub, sup), *self._fits(sub, sup)]
        except (Unjudged, RecursionError) as unjudged:
            found = [Found("", "unjudged", str(unjudged))]
            self._open.clear()
        for each in self._complete(found):
            if code := self._code(each.about):
                yield Break(f"{place} {each.inside}".rstrip(), code, each.what)

    def _complete(self, found: list[Found]) -> Iterator[Found]:
        """With what was left open where a schema refers back to itself."""
        met: set[Any] = set()
        waiting = deque(found)
        while waiting:
            each = waiting.popleft()
            if (origin := (each.about == AGAIN, each.origin)) not in met:
                met.add(origin)
                if each.about == AGAIN:
                    waiting.extend(_inside(each.inside, self._known.get(each.origin, ())))
                else:
                    yield each

    def _code(self, about: str) -> str | None:
        always = {"unjudged": "cannot-be-judged", AGAIN: AGAIN}
        return always.get(about) or code_of(about, self._direction)

    @property
    def _documents(self) -> tuple[Document, Document]:
        before, after = self._pair.before, self._pair.after
        return (before, after) if self._sent else (after, before)

    def _same(self, sub: Any, sup: Any) -> bool:
        return self._pair.same(*((sub, sup) if self._sent else (sup, sub)))

    def _fits(self, sub: Any, sup: Any) -> list[Found]:
        """What `sub` allows and `sup` does not."""
        if sup is True or sup == {} or sub is False or self._same(sub, sup):
            return []
        key = (json.dumps(sub), json.dumps(sup))
        if key in self._open:
            return [Found("", AGAIN, origin=key)]
        if key not in self._known:
            self._open.add(key)
            self._known[key] = _first_of_each(self._judged(sub, sup), key)
            self._open.discard(key)
        return self._known[key]

    def _judged(self, sub: Any, sup: Any) -> Iterator[Found]:
        try:
            yield from self._compared(sub, sup)
        except Unjudged as unjudged:
            yield Found("", "unjudged", str(unjudged))

    def _compared(self, sub: Any, sup: Any) -> Iterator[Found]:
        narrow, wide = self._documents
        subs, sups = alternatives(narrow, sub), alternatives(wide, sup)
        tried = [[(i, self._branch(b, s)) for i, s in _of_type(b, sups)] for b in subs]
        taken = {i for options in tried for i, found in options if _fitting(found)}
        for branch, options in zip(subs, tried, strict=True):
            fitting = [found for _, found in options if _fitting(found)]
            free = fitting[:1] or [found for i, found in options if i not in taken]
            if free:
                yield from min(free, key=_distance)
            elif options:
                yield Found("", "branch", _named(branch))
            else:
                about = "null" if branch["type"] == "null" else "type"
                yield Found("", about, branch["type"])

    def _branch(self, sub: Json, sup: Json) -> list[Found]:
        found = [Found("", *each) for each in differences(sub, sup, self._direction)]
        unknown = sorted((sub.keys() | sup.keys()) - KNOWN)
        found += [
            Found("", "unjudged", n) for n in unknown if not self._same(sub.get(n), sup.get(n))
        ]
        if sub["type"] == "object":
            found += self._object(sub, sup)
        elif sub["type"] == "array":
            found += self._array(sub, sup)
        elif sub["type"] == "string":
            # JSON inside of a string, as in the events of a stream.
            found += self._fits(sub.get("contentSchema", True), sup.get("contentSchema", True))
        return [each for each in dict.fromkeys(found) if self._code(each.about)]

    def _object(self, sub: Json, sup: Json) -> Iterator[Found]:
        narrow, wide = (self._seen(*each) for each in zip(self._documents, (sub, sup), strict=True))
        rest_sub, rest_sup = (each.get("additionalProperties", True) for each in (sub, sup))
        for name in sorted(narrow.keys() | wide.keys()):
            if name in narrow and name in wide:
                yield from self._defaults(f".{name}", narrow[name], wide[name])
                yield from _inside(f".{name}", self._fits(narrow[name], wide[name]))
            elif name in narrow and isinstance(rest_sup, dict) and rest_sup:
                yield from _inside(f".{name}", self._fits(narrow[name], rest_sup))
            elif name in wide and self._sent and isinstance(rest_sub, dict) and rest_sub:
                yield from _inside(f".{name}", self._fits(rest_sub, wide[name]))
            elif name in (narrow if self._sent else wide):
                yield Found(f".{name}", "field")
        for name in sorted({*sup.get("required", ())} - {*sub.get("required", ())}):
            hidden = name in sup.get("properties", {}) and name not in wide
            if not hidden and (self._sent or name in narrow or name not in wide):
                yield Found(f".{name}", "required")
        if rest_sup is False and rest_sub is not False:
            yield Found("", "closed")
        elif rest_sup is not False:
            yield from _inside(".*", self._fits(rest_sub, rest_sup))
        yield from self._discriminated(sub.get("discriminator"), sup.get("discriminator"))

    def _seen(self, document: Document, branch: Json) -> Json:
        """The fields that go this way at all."""
        hidden = "readOnly" if self._sent else "writeOnly"
        fields = branch.get("properties", {})
        return {k: v for k, v in fields.items() if not annotation(document, v, hidden)}

    def _discriminated(self, sub: Json | None, sup: Json | None) -> Iterator[Found]:
        if sup is None or (sub is None and self._sent):
            return
        name, wanted = (each and each.get("propertyName") for each in (sub, sup))
        if name != wanted:
            yield Found("", "discriminator", str(wanted))
        elif sub and "mapping" in sub and "mapping" in sup:
            for value in sorted(sub["mapping"].keys() - sup["mapping"].keys()):
                yield Found("", "discriminator", value)

    def _array(self, sub: Json, sup: Json) -> Iterator[Found]:
        narrow, wide = sub.get("prefixItems", []), sup.get("prefixItems", [])
        rest = sub.get("items", True), sup.get("items", True)
        for i in range(max(len(narrow), len(wide))):
            each = [p[i] if i < len(p) else r for p, r in zip((narrow, wide), rest, strict=True)]
            yield from _inside(f"[{i}]", self._fits(*each))
        if sub.get("maxItems", len(narrow) + 1) > len(narrow):
            yield from _inside("[]", self._fits(*rest))

    def _defaults(self, inside: str, sub: Any, sup: Any) -> Iterator[Found]:
        """Of what is sent: who leaves it out should go on asking for the same."""
        if self._direction is RECEIVED:
            return
        before, after = self._documents
        old, new = annotation(before, sub, "default"), annotation(after, sup, "default")
        if old is not None and old != new:
            yield Found(inside, "default", json.dumps(new, sort_keys=True))


def _of_type(branch: Json, others: Iterable[Json]) -> Iterator[tuple[int, Json]]:
    return ((i, other) for i, other in enumerate(others) if other["type"] == branch["type"])


def _first_of_each(found: Iterable[Found], key: Key) -> list[Found]:
    first: dict[Any, Found] = {}
    for each in found:
        origin = each.origin or (key, each)
        first.setdefault((each.about == AGAIN, origin), each._replace(origin=origin))
    return list(first.values())


def _fitting(found: list[Found]) -> bool:
    """What refers to itself fits if the rest does."""
    return all(each.about == AGAIN for each in found)


def _distance(found: list[Found]) -> tuple[int, int]:
    """Another value of a constant means another alternative, more than other fields do."""
    return sum(each.about == "enum" for each in found), len(found)


def _inside(step: str, found: Iterable[Found]) -> Iterator[Found]:
    return (each._replace(inside=step + each.inside) for each in found)


def _named(branch: Json) -> str:
    fields = ", ".join(sorted(branch.get("properties", {})))
    return f"{branch['type']} with {fields}" if fields else str(branch["type"])
