"""Who was refused what, and from where: on record, and never so often that it floods the record."""

import time
from collections import OrderedDict
from typing import TypeVar

from sqlalchemy import select

from service.chassis.application.attempts import neighbourhood
from service.chassis.application.audit import STRANGER, Actor, record
from service.chassis.application.database import Database
from service.chassis.application.tables import Tenant
from service.chassis.identity import TenantId

BETWEEN_SECONDS, REMEMBERED = 60, 10_000
# Of one kind in one tenant, in that time; all others share a row.
MOST_ROWS = 100
CROWD = "from many at once"
KNOWN_TENANT = select(Tenant.id)

Kind = tuple[TenantId, str]
Place = tuple[Kind, str, str, str, str]
Key = TypeVar("Key")


class Denials:
    """At most a row a minute for each who, what, on whom and where; it counts those between."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen: OrderedDict[Place, tuple[float, int]] = OrderedDict()
        self._rows: OrderedDict[Kind, tuple[float, int]] = OrderedDict()

    async def record(
        self,
        tenant_id: TenantId,
        actor: Actor,
        action: str,
        target: object = "",
        detail: str = "",
        *,
        named: str = "",
    ) -> None:
        """`named` is what they said, where counting by the target would tell if it is there."""
        kind, now = (tenant_id, action), time.monotonic()
        whom = named or str(target)
        place = (kind, actor.subject, whom, neighbourhood(actor.address), detail)
        if self._is_counted(place, now):
            return
        if self._is_crowded(kind, now):
            place, actor, target, detail = (kind, "", "", "", ""), Actor(STRANGER), "", CROWD
            if self._is_counted(place, now):
                return
        before = self._begin(place, now)
        try:
            more = f"and {before} more before" if before else ""
            said = ", ".join(filter(None, (detail, more)))
            await self._write(tenant_id, actor, action, target, said)
        except BaseException:
            self._reopen(place, before)
            raise

    async def _write(
        self, tenant_id: TenantId, actor: Actor, action: str, target: object, said: str
    ) -> None:
        async with self._database.transaction(tenant_id) as session:
            # Strangers name tenants that never were.
            if await session.scalar(KNOWN_TENANT) is not None:
                await record(session, actor, action, target, said)

    def _is_counted(self, place: Place, now: float) -> bool:
        """The row of this minute is there; this one is told in the next."""
        until, suppressed = self._seen.get(place, (0.0, 0))
        if now < until:
            self._seen[place] = (until, suppressed + 1)
        return now < until

    def _is_crowded(self, kind: Kind, now: float) -> bool:
        until, rows = self._rows.get(kind, (0.0, 0))
        if now >= until:
            until, rows = now + BETWEEN_SECONDS, 0
        _remember(self._rows, kind, (until, rows + 1))
        return rows >= MOST_ROWS

    def _begin(self, place: Place, now: float) -> int:
        """Before the row is written, so that those who come meanwhile are counted."""
        _, suppressed = self._seen.get(place, (0.0, 0))
        _remember(self._seen, place, (now + BETWEEN_SECONDS, 0))
        return suppressed

    def _reopen(self, place: Place, before: int) -> None:
        """There is no row: the next one tells of this one too, and of all that it counted."""
        _, meanwhile = self._seen.get(place, (0.0, 0))
        _remember(self._seen, place, (0.0, before + meanwhile + 1))


def _remember(
    kept: OrderedDict[Key, tuple[float, int]], key: Key, value: tuple[float, int]
) -> None:
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > REMEMBERED:
        kept.popitem(last=False)
