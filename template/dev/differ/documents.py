"""Two documents, and what is the same in both however it is written down."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from dev.differ.rules import Unjudged

Json = dict[str, Any]


@dataclass(frozen=True)
class Document:
    content: Json

    def resolved(self, node: Any) -> Any:
        """What a chain of references leads to; a node without one is itself."""
        seen = set()
        while isinstance(node, dict) and isinstance(node.get("$ref"), str):
            if node["$ref"] in seen:
                raise Unjudged(f"{node['$ref']} refers to itself")
            seen.add(node["$ref"])
            node = self.at(node["$ref"])
        return node

    def at(self, reference: str) -> Any:
        if not reference.startswith("#/"):
            raise Unjudged(f"{reference} is in another document")
        node: Any = self.content
        for part in reference[2:].split("/"):
            key = unquote(part).replace("~1", "/").replace("~0", "~")
            try:
                node = node[int(key) if isinstance(node, list) else key]
            except (KeyError, IndexError, TypeError, ValueError):
                raise Unjudged(f"{reference} leads nowhere") from None
        return node


@dataclass(frozen=True)
class Pair:
    """An older and a newer document."""

    before: Document
    after: Document

    def same(self, old: Any, new: Any) -> bool:
        """Word for word, and all that they refer to: then nothing has to be compared."""
        return bool(old == new) and self._unchanged.issuperset(references(old))

    @cached_property
    def _unchanged(self) -> frozenset[str]:
        """Components that are the same, and lead only to such."""
        old, new = _components(self.before.content), _components(self.after.content)
        leads_to = {name: set(references(node)) for name, node in new.items()}
        unchanged = {name for name, node in new.items() if name in old and old[name] == node}
        while lost := {name for name in unchanged if not leads_to[name] <= unchanged}:
            unchanged -= lost
        return frozenset(unchanged)


def _components(content: Json) -> dict[str, Any]:
    return {
        f"#/components/{kind}/{name}": node
        for kind, named in content.get("components", {}).items()
        for name, node in named.items()
    }


def references(node: Any) -> Iterator[str]:
    """Every reference inside."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref" and isinstance(value, str):
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)
