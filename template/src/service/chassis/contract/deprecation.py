"""A route that will end says so: `dependencies=[deprecated(since=…, sunset=…, instead=…)]`.

With each answer, refusals too (RFC 9745, RFC 8594), and in the interface document. `make contract`
lets the route go once its last day is past.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant

NOTICE = timedelta(days=90)
SINCE, SUNSET = "x-deprecated-since", "x-sunset"
Fields = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Deprecation:
    since: date
    # The last day on which it is certain to answer.
    sunset: date
    # The path or address of what replaces it, and of a page that says how to move.
    instead: str | None = None
    guide: str | None = None

    def __post_init__(self) -> None:
        if self.sunset - self.since < NOTICE:
            raise ValueError(f"sunset: callers have at least {NOTICE.days} days from `since`")
        for address in filter(None, (self.instead, self.guide)):
            if not address.startswith(("/", "https://")) or set(address) & set('<>" \r\n'):
                raise ValueError(f"{address!r} is no path and no https:// address")

    @property
    def fields(self) -> Fields:
        ends = _midnight(self.sunset + timedelta(days=1))
        relations = {"successor-version": self.instead, "deprecation": self.guide}
        links = [f'<{to}>; rel="{relation}"' for relation, to in relations.items() if to]
        return [
            (b"deprecation", f"@{_midnight(self.since).timestamp():.0f}".encode()),
            (b"sunset", format_datetime(ends, usegmt=True).encode()),
            *((b"link", link.encode()) for link in links),
        ]

    @property
    def documented(self) -> dict[str, Any]:
        """What an operation of the interface document is told."""
        return {"deprecated": True, SINCE: str(self.since), SUNSET: str(self.sunset)}

    def __str__(self) -> str:
        instead = f" Use {self.instead} instead." if self.instead else ""
        return f"Deprecated since {self.since}; answers until {self.sunset}.{instead}"


def deprecated(
    *, since: date, sunset: date, instead: str | None = None, guide: str | None = None
) -> Any:
    deprecation = Deprecation(since, sunset, instead, guide)
    fields = deprecation.fields

    async def announced(request: Request) -> None:
        request.scope["visit"].announced = fields

    announced.deprecation = deprecation  # type: ignore[attr-defined]
    return Depends(announced)


def deprecation_of(dependant: Dependant) -> Deprecation | None:
    for dependency in dependant.dependencies:
        found = getattr(dependency.call, "deprecation", None) or deprecation_of(dependency)
        if isinstance(found, Deprecation):
            return found
    return None


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
