"""Quotas that all processes share, and that go on binding while Valkey is gone.

A busy quota is drawn in small lots ahead of their use, so that most requests ask nobody. A lot is
counted when it is drawn: all processes together never admit more than the quota. Without Valkey
each process grants a share of the quota by itself.
"""

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil

from limits import RateLimitItem, RateLimitItemPerSecond

from service.chassis.application.local_counts import Clock, LocalCounts, Standing
from service.chassis.application.shared_counts import CountsGone, SharedCounts

MOST_BUCKETS = 20_000
# A busy lot is used up at once. An idle one is so small that it may be kept for longer.
BUSY_LOTS, IDLE_LOTS = 100, 400
LOT_SECONDS, IDLE_SHARE = 1.0, 10
REMEMBERED_REFUSAL_SECONDS = 0.25
SHARE_ALONE, GUARDED_SHARE_ALONE = 4, 10

Key = tuple[object, ...]


@dataclass(frozen=True, eq=False)
class Quota:
    """`amount` in any `seconds`; a guarded one keeps more of it shut while Valkey is gone."""

    name: str
    amount: int
    seconds: int
    guarded: bool = False

    @cached_property
    def id(self) -> str:
        return f"{self.name}/{self.amount}/{self.seconds}"

    @cached_property
    def label(self) -> str:
        """What callers see of the name."""
        return self.name.partition(":")[0]

    @cached_property
    def item(self) -> RateLimitItem:
        return RateLimitItemPerSecond(self.amount, self.seconds)

    @cached_property
    def largest_lot(self) -> int:
        return max(1, self.amount // BUSY_LOTS)

    @cached_property
    def smallest_lot(self) -> int:
        return max(1, self.amount // IDLE_LOTS)

    def kept(self, lot: int) -> float:
        """For so many seconds a lot may be spent."""
        idle = lot <= self.smallest_lot
        return self.seconds / IDLE_SHARE if idle else min(LOT_SECONDS, self.seconds / 60)

    @cached_property
    def alone(self) -> int:
        return max(1, self.amount // (GUARDED_SHARE_ALONE if self.guarded else SHARE_ALONE))


@dataclass(slots=True)
class Bucket:
    """What this process holds and knows of one key of a quota."""

    held: int = 0
    held_until: float = 0.0
    lot: int = 1
    refused_until: float = 0.0
    seen_at: float = float("-inf")
    remaining: int = 0
    renewed_at: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def spends(self, cost: int, now: float) -> bool:
        if self.held < cost or self.held_until <= now:
            return False
        self.held -= cost
        self.remaining -= cost
        return True

    def next_lot(self, quota: Quota, now: float) -> int:
        """Twice the last one if that was used up in time, half of it if not."""
        wanted = self.lot * 2 if now < self.held_until else self.lot // 2
        self.lot = max(quota.smallest_lot, min(wanted, quota.largest_lot))
        return self.lot

    def is_worth_a_look(self, quota: Quota, now: float) -> bool:
        """Small quotas, where every one counts, and busy ones; at most once a second."""
        return now - self.seen_at >= LOT_SECONDS and (
            quota.largest_lot == 1 or self.lot > quota.smallest_lot
        )

    def standing(self, now: float, *, admitted: bool) -> Standing:
        return Standing(admitted, self.remaining, max(0, ceil(self.renewed_at - now)))


class Quotas:
    def __init__(self, valkey_url: str, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self.shared = SharedCounts(valkey_url, clock)
        self._alone = LocalCounts(clock)
        self._buckets: OrderedDict[Key, Bucket] = OrderedDict()

    async def take(self, quota: Quota, key: Key, cost: int = 1) -> Standing:
        """Counts `cost` against the quota of this key, unless that is more than is left."""
        bucket = self._buckets.get((quota.id, *key)) or self._open(quota, key)
        now = self._clock()
        if bucket.spends(cost, now):
            return bucket.standing(now, admitted=True)
        if now < bucket.refused_until:
            return bucket.standing(now, admitted=False)
        try:
            return await self._draw(bucket, quota, key, cost)
        except CountsGone:
            return self._alone.take((quota.id, *key), quota.alone, quota.seconds, cost)

    def _open(self, quota: Quota, key: Key) -> Bucket:
        if len(self._buckets) >= MOST_BUCKETS:
            # Gone with it is at most a lot, which stays counted.
            self._buckets.popitem(last=False)
        return self._buckets.setdefault((quota.id, *key), Bucket())

    async def _draw(self, bucket: Bucket, quota: Quota, key: Key, cost: int) -> Standing:
        async with bucket.lock:
            now = self._clock()
            # Somebody may have drawn while this one waited for the lock.
            if now < bucket.refused_until:
                return bucket.standing(now, admitted=False)
            if not (admitted := bucket.spends(cost, now)):
                admitted = await self._drawn(bucket, quota, (quota.name, *map(str, key)), cost)
            return bucket.standing(self._clock(), admitted=admitted)

    async def _drawn(self, bucket: Bucket, quota: Quota, key: tuple[str, ...], cost: int) -> bool:
        lot = max(cost, bucket.next_lot(quota, self._clock()))
        admitted = await self.shared.take(quota.item, key, lot)
        if not admitted and lot > cost:
            # Near the end of a quota its rest goes out in the smallest coin.
            lot, bucket.lot = cost, 1
            admitted = await self.shared.take(quota.item, key, lot)
        now = self._clock()
        if admitted:
            bucket.held, bucket.held_until = lot - cost, now + quota.kept(lot)
            # What is held is left, whatever other processes drew since the last look.
            bucket.remaining = max(bucket.remaining - cost, bucket.held)
        if not admitted or bucket.is_worth_a_look(quota, now):
            await self._look(bucket, quota, key)
        elif now >= bucket.renewed_at:
            # A guess, for who asks rarely: the truth would cost as much as the count.
            bucket.remaining, bucket.renewed_at = quota.amount - cost, now + quota.seconds
        if not admitted:
            bucket.refused_until = now + REMEMBERED_REFUSAL_SECONDS
        return admitted

    async def _look(self, bucket: Bucket, quota: Quota, key: tuple[str, ...]) -> None:
        left, seconds = await self.shared.look(quota.item, key)
        bucket.seen_at = self._clock()
        bucket.remaining = left + bucket.held
        bucket.renewed_at = bucket.seen_at + seconds
