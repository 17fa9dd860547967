"""Counts that one process keeps in its own memory, of bounded size."""

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from math import ceil
from typing import NamedTuple

MOST_KEYS = 20_000
CROWD = "everyone who came when the memory was full"

Clock = Callable[[], float]


class Standing(NamedTuple):
    """How somebody stands with a quota after asking for a part of it."""

    admitted: bool
    remaining: int
    seconds: int

    @property
    def retry_after(self) -> int:
        return max(1, self.seconds)


@dataclass
class Windows:
    number: int = -1
    before: dict[Hashable, int] = field(default_factory=dict)
    now: dict[Hashable, int] = field(default_factory=dict)


class LocalCounts:
    """Sliding windows: the last one counts for the part of it that is still in sight."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._windows: dict[int, Windows] = {}

    def take(self, key: Hashable, amount: int, seconds: int, cost: int = 1) -> Standing:
        windows, left = self._turned(seconds)
        # Latecomers share one count rather than push out counts that bind.
        if key not in windows.now and len(windows.now) >= MOST_KEYS:
            key = CROWD
        used = self._used(windows, key, left / seconds)
        if admitted := used + cost <= amount:
            windows.now[key] = windows.now.get(key, 0) + cost
            used += cost
        return Standing(admitted, max(0, amount - used), ceil(left))

    def full(self, key: Hashable, amount: int, seconds: int) -> bool:
        """Would a `take` be refused?"""
        windows, left = self._turned(seconds)
        return self._used(windows, key, left / seconds) >= amount

    def _used(self, windows: Windows, key: Hashable, share: float) -> int:
        return int(windows.before.get(key, 0) * share) + windows.now.get(key, 0)

    def _turned(self, seconds: int) -> tuple[Windows, float]:
        windows = self._windows.setdefault(seconds, Windows())
        number, elapsed = divmod(self._clock(), seconds)
        # A clock that steps back keeps the window that it was in.
        if number > windows.number:
            windows.before = windows.now if number == windows.number + 1 else {}
            windows.now = {}
            windows.number = int(number)
        return windows, seconds - elapsed


class InFlight:
    """How many of each are being served in this process right now."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._serving: dict[Hashable, int] = {}

    def enter(self, key: Hashable) -> bool:
        serving = self._serving.get(key, 0)
        if serving >= self._most:
            return False
        self._serving[key] = serving + 1
        return True

    def leave(self, key: Hashable) -> None:
        if (others := self._serving.pop(key) - 1) > 0:
            self._serving[key] = others
