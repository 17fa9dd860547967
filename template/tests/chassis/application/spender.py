"""A process of its own that takes as much of a quota as it gets; prints how often it was let in."""

import asyncio
import sys
import time

from service.chassis.application.quotas import Quota, Quotas

AT_ONCE = 16


async def spend(url: str, amount: int, seconds: float) -> int:
    quotas, quota, admitted = Quotas(url), Quota("spent", amount, 60), 0

    async def takes() -> None:
        nonlocal admitted
        while time.monotonic() < until:
            standing = await quotas.take(quota, ("tenant",))
            admitted += standing.admitted
            await asyncio.sleep(0)

    await quotas.shared.greet()
    print("ready", flush=True)  # noqa: T201
    sys.stdin.readline()
    until = time.monotonic() + seconds
    await asyncio.gather(*(takes() for _ in range(AT_ONCE)))
    await quotas.shared.close()
    return admitted


if __name__ == "__main__":
    url, amount, seconds = sys.argv[1:]
    print(asyncio.run(spend(url, int(amount), float(seconds))))  # noqa: T201
