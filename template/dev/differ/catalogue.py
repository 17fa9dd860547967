"""All rules by their names, and a break in words."""

from dev.differ.route_rules import ROUTES
from dev.differ.rules import Break, Direction
from dev.differ.schema_rules import SCHEMAS

RULES = {rule.code: rule for rule in (*ROUTES, *SCHEMAS)}
_ABOUT = {(rule.about, rule.direction): rule.code for rule in SCHEMAS}


def code_of(about: str, direction: Direction) -> str | None:
    """None where one way needs no rule: whoever receives ignores fields that are new."""
    return _ABOUT.get((about, direction))


def explained(found: Break) -> str:
    rule = RULES[found.code]
    what = f": {found.what}" if found.what else ""
    return f"{found.place}{what}\n  {found.code}: {rule.says}\n  instead: {rule.instead}"
