"""The breaks that somebody accepted, and why: two committed files that reviewers read."""

import json
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from dev.database import ROOT
from dev.differ import Break
from dev.locks import Read, on_disk

CHASSIS, PRODUCT = "contract/chassis.breaks.toml", "contract/product.breaks.toml"


@dataclass(frozen=True)
class Records:
    # For ever: nobody but a demonstration calls it.
    standing: frozenset[str] = frozenset()
    # Once each, when it was made: the same break again is a break again.
    accepted: Counter[str] = field(default_factory=Counter)

    def unaccepted(self, found: Iterable[Break], before: "Records") -> list[Break]:
        """What no entry stands for that is new since `before`."""
        left = self.accepted - before.accepted
        return [each for each in found if each.record not in {*self.standing, *left}]


def records(read: Read = on_disk) -> Records:
    standing: set[str] = set()
    accepted: Counter[str] = Counter()
    for path in (CHASSIS, PRODUCT):
        said = tomllib.loads(read(path) or "")
        standing.update(*(entry["breaks"] for entry in said.get("standing", ())))
        for entry in said.get("accepted", ()):
            accepted.update(entry["breaks"])
    return Records(frozenset(standing), accepted)


def accept(path: str, found: Sequence[Break], why: str) -> None:
    """One more entry at the end of the file."""
    lines = [f"    {_quoted(each.record)}," for each in found]
    entry = "\n".join(["[[accepted]]", f"why = {_quoted(why)}", "breaks = [", *lines, "]"])
    text = (on_disk(path) or "").rstrip()
    (ROOT / path).write_text(f"{text}\n\n{entry}\n".lstrip(), "utf-8")


def _quoted(text: str) -> str:
    """What JSON writes, TOML reads."""
    return json.dumps(text, ensure_ascii=False)
