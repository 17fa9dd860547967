"""What callers send: who they are, parameters and bodies."""

import re
from collections.abc import Iterator
from typing import Any

from dev.differ.documents import Document, Json, Pair
from dev.differ.rules import SENT, Break
from dev.differ.schemas import Comparison

# As OpenAPI says for a parameter that says nothing.
STYLE = {"query": "form", "path": "simple", "header": "simple", "cookie": "form"}


class Requests:
    def __init__(self, pair: Pair) -> None:
        self._pair = pair
        self._schemas = Comparison(pair, SENT)

    def breaks(self, place: str, old: Json, new: Json) -> Iterator[Break]:
        yield from self._security(place, old["security"], new["security"])
        yield from self._parameters(place, old, new)
        yield from self._body(place, old.get("requestBody"), new.get("requestBody"))

    def _security(self, place: str, old: list[Json], new: list[Json]) -> Iterator[Break]:
        """Each combination that was enough must still be; none at all is one, too."""
        for way in old or [{}]:
            if new and not any(_enough(way, each) for each in new):
                yield Break(place, "security-tightened", " and ".join(sorted(way)) or "nobody")
        for name in sorted({name for way in old for name in way}):
            schemes = [
                document.resolved(_schemes(document).get(name))
                for document in (self._pair.before, self._pair.after)
            ]
            if schemes[1] is not None and _silent(schemes[0]) != _silent(schemes[1]):
                yield Break(place, "security-scheme-changed", name)

    def _parameters(self, place: str, old: Json, new: Json) -> Iterator[Break]:
        known, there = _named(self._pair.before, old), _named(self._pair.after, new)
        for where, before in known.items():
            after = there.get(where)
            inside = f"{place} {before['in']} {before['name']}"
            if after is None:
                yield Break(inside, "parameter-removed")
                continue
            if after.get("required") and not before.get("required"):
                yield Break(inside, "parameter-required")
            if _written(before) != _written(after):
                yield Break(inside, "parameter-form-changed")
            yield from self._schemas.breaks(inside, _schema(before), _schema(after))
        for where, after in there.items():
            if where not in known and after.get("required"):
                yield Break(f"{place} {after['in']} {after['name']}", "parameter-required")

    def _body(self, place: str, old: Json | None, new: Json | None) -> Iterator[Break]:
        before, after = self._pair.before.resolved(old), self._pair.after.resolved(new)
        inside = f"{place} request"
        if after and after.get("required") and not (before and before.get("required")):
            yield Break(inside, "request-body-required")
        if before and not after:
            yield Break(inside, "request-body-removed")
        elif before:
            yield from self._media(inside, before.get("content", {}), after.get("content", {}))

    def _media(self, place: str, old: Json, new: Json) -> Iterator[Break]:
        for media, before in old.items():
            after = new.get(media, new.get(f"{media.partition('/')[0]}/*", new.get("*/*")))
            if after is None:
                yield Break(place, "request-media-type-removed", media)
                continue
            schemas = before.get("schema", True), after.get("schema", True)
            yield from self._schemas.breaks(f"{place} {media}", *schemas)
            if before.get("encoding") != after.get("encoding"):
                yield Break(f"{place} {media}", "cannot-be-judged", "encoding")


def _enough(sent: Json, asked: Json) -> bool:
    return all(
        name in sent and set(scopes) <= set(sent[name] or scopes) for name, scopes in asked.items()
    )


def _schemes(document: Document) -> Json:
    schemes: Json = document.content.get("components", {}).get("securitySchemes", {})
    return schemes


def _silent(scheme: Any) -> Any:
    return scheme and {k: v for k, v in scheme.items() if k != "description" and k[:2] != "x-"}


def _named(document: Document, operation: Json) -> dict[tuple[str, str], Json]:
    """Headers in any case; those in the path by their place. The last of a name counts."""
    order = re.findall(r"\{([^}]*)\}", operation["x-path"])
    found = {}
    for each in map(document.resolved, operation["parameters"]):
        name = each["name"]
        if each["in"] == "header":
            name = name.lower()
        if each["in"] == "path" and name in order:
            name = str(order.index(name))
        found[each["in"], name] = each
    return found


def _written(parameter: Json) -> tuple[Any, ...]:
    style = parameter.get("style", STYLE[parameter["in"]])
    media = list(parameter.get("content", {}))
    return style, parameter.get("explode", style == "form"), parameter.get("allowReserved"), media


def _schema(parameter: Json) -> Any:
    contents = [content.get("schema", True) for content in parameter.get("content", {}).values()]
    return parameter.get("schema", contents[0] if contents else True)
