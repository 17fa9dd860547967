"""Work that goes on after the answer, so that its length tells a stranger nothing."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from service.chassis.errors import Unavailable
from service.chassis.telemetry.logs import log_failure

AT_MOST = 200
DRAIN_SECONDS = 10


class Background:
    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        if len(self._tasks) >= AT_MOST:
            work.close()
            raise Unavailable("Too many letters are being written right now.")
        task = asyncio.create_task(_logged(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drain(self) -> None:
        """What was promised is done before the process ends, within reason."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=DRAIN_SECONDS)
            for task in late:
                task.cancel()


async def _logged(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception as error:  # noqa: BLE001  nobody waits for it who could be told
        log_failure("background_work_failed", error)
