"""Who owns a file of this project, as `.strongback/ownership.toml` says."""

import re
import tomllib
from pathlib import Path

RULES = Path(".strongback", "ownership.toml")


class Ownership:
    """The classes in the order of the file; the first pattern that matches decides."""

    def __init__(self, project: Path) -> None:
        rules = tomllib.loads((project / RULES).read_text("utf-8"))
        self.patterns = [(owner, pattern) for owner, listed in rules.items() for pattern in listed]

    def of(self, path: str) -> str | None:
        rule = self.rule_for(path)
        return rule[0] if rule else None

    def rule_for(self, path: str) -> tuple[str, str] | None:
        """The owner, and the pattern that decided."""
        return next((rule for rule in self.patterns if _matches(rule[1], path)), None)


def _matches(pattern: str, path: str) -> bool:
    """`**` crosses folders, `*` does not; a pattern is anchored at the project's root."""
    parts = re.split(r"(\*\*|\*)", pattern)
    wild = {"**": ".*", "*": "[^/]*"}
    return bool(re.fullmatch("".join(wild.get(part) or re.escape(part) for part in parts), path))
