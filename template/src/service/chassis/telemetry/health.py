"""Is the service able to work?"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from service.chassis.telemetry.logs import log

Check = Callable[[], Awaitable[object]]
CHECK_SECONDS = 2


@dataclass
class Health:
    """`essential` checks decide readiness; a failing `helpful` one is only shown."""

    essential: Mapping[str, Check]
    helpful: Mapping[str, Check] = field(default_factory=dict)
    started: bool = False
    draining: bool = False

    async def ready(self) -> tuple[bool, dict[str, Literal["ok", "down"]]]:
        checks = {**self.essential, **self.helpful}
        results = await asyncio.gather(*(_passes(name, check) for name, check in checks.items()))
        up = dict(zip(checks, results, strict=True))
        shown: dict[str, Literal["ok", "down"]] = {n: "ok" if up[n] else "down" for n in checks}
        able = self.started and not self.draining and all(up[name] for name in self.essential)
        return able, shown


async def _passes(name: str, check: Check) -> bool:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await check()
    except Exception as error:  # noqa: BLE001 - whatever it was, the check did not pass
        log("health_check_failed", check=name, error=type(error).__name__)
        return False
    return True
