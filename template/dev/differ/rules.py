"""Every way to break a caller: a name, which way the data go, the reason, and what to do instead.

What a caller sends may not be narrowed, what a caller receives may not be widened.
"""

from dataclasses import dataclass
from enum import StrEnum


class Direction(StrEnum):
    SENT = "sent by callers"
    RECEIVED = "received by callers"
    OFFERED = "the offer itself"


@dataclass(frozen=True)
class Rule:
    code: str
    direction: Direction
    says: str
    instead: str
    # What of a schema it is about; the same rule may be there for the other direction.
    about: str = ""


@dataclass(frozen=True, order=True)
class Break:
    """One break: where it is, which rule it breaks, and what exactly."""

    place: str
    code: str
    what: str = ""

    @property
    def record(self) -> str:
        """What stands for it where breaks are accepted."""
        return " ".join(filter(None, (self.code, self.place, self.what)))


class Unjudged(Exception):
    """Something that no rule is about; the message names it."""


SENT, RECEIVED, OFFERED = Direction.SENT, Direction.RECEIVED, Direction.OFFERED
NEW_ROUTE = "Leave this route as it is, offer another, and deprecate this one."
