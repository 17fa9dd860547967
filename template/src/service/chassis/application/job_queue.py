"""The queue of tickets, worked off by procrastinate in a process of its own.

Imported by the worker only: the library and its driver are no part of what serves requests.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import UUID

from procrastinate import App, PsycopgConnector, RetryDecision
from procrastinate.jobs import DeleteJobCondition
from procrastinate.jobs import Job as Ticket
from procrastinate.retry import BaseRetryStrategy
from sqlalchemy import make_url

from service.chassis.application.jobs import JobId
from service.chassis.application.run_jobs import RunJobs, TenantAway
from service.chassis.identity import TenantId
from service.chassis.jobs_settings import JobsSettings
from service.chassis.telemetry.logs import log, log_failure

QUEUE = "jobs"
# A ticket that a crash of the database brings back does nothing: no commit here need wait for it.
SESSION = "-c search_path=queue -c synchronous_commit=off"
LOOK_SECONDS = 0.5
AGAIN_SECONDS, AWAY_SECONDS = 2, 60
# Of a worker that is dead; or begun so long ago that whoever took it must be done with it.
ABANDONED = """
WITH abandoned AS (
    SELECT id FROM procrastinate_jobs AS taken WHERE status = 'doing' AND (
        worker_id IS NULL
        OR worker_id IN (SELECT id FROM procrastinate_workers
            WHERE last_heartbeat < now() - make_interval(secs => %(lease)s))
        OR (SELECT max(at) FROM procrastinate_events WHERE job_id = taken.id AND type = 'started')
            < now() - make_interval(secs => %(longest)s))
    FOR UPDATE SKIP LOCKED)
UPDATE procrastinate_jobs SET status = 'todo', worker_id = NULL, attempts = attempts + 1
WHERE id IN (SELECT id FROM abandoned) RETURNING id
"""
Tick = Callable[[str, int], Awaitable[None]]


class Later(BaseRetryStrategy):
    """A ticket is never given up: its job's own row says when it is over."""

    def get_retry_decision(self, *, exception: BaseException, job: Ticket) -> RetryDecision:  # noqa: ARG002
        away = isinstance(exception, TenantAway)
        return RetryDecision(retry_in={"seconds": AWAY_SECONDS if away else AGAIN_SECONDS})


class JobQueue:
    def __init__(self, url: str, settings: JobsSettings, runs: RunJobs, tick: Tick) -> None:
        self._settings, self._runs, self._tick = settings, runs, tick
        self._app = App(
            connector=PsycopgConnector(
                conninfo=make_url(url)
                .set(drivername="postgresql")
                .render_as_string(hide_password=False),
                kwargs={"options": SESSION},
                min_size=1,
                max_size=settings.concurrency + 2,
            )
        )
        self._declare()

    def _declare(self) -> None:
        async def run(tenant_id: str, job_id: str) -> None:
            await self._runs.run(TenantId(UUID(tenant_id)), JobId(UUID(job_id)))

        self._app.task(name="run", queue=QUEUE, retry=Later())(run)
        for kind, declared in self._runs.jobs.declared.periodic.items():

            async def put(timestamp: int, kind: str = kind) -> None:
                await self._tick(kind, timestamp)

            task = self._app.task(name=f"put {kind}", queue=QUEUE, retry=Later())(put)
            self._app.periodic(cron=declared.cron)(task)

    async def work(self) -> None:
        """Until the process is told to stop; what was begun is then finished, or given back."""
        settings = self._settings
        async with self._app.open_async(), self._sweeping():
            await self._app.run_worker_async(
                queues=[QUEUE],
                concurrency=settings.concurrency,
                fetch_job_polling_interval=LOOK_SECONDS,
                shutdown_graceful_timeout=settings.drain_seconds,
                delete_jobs=DeleteJobCondition.ALWAYS,
                update_heartbeat_interval=settings.lease_seconds / 4,
                stalled_worker_timeout=settings.lease_seconds,
            )

    @asynccontextmanager
    async def _sweeping(self) -> AsyncGenerator[None]:
        sweeps = asyncio.create_task(self._sweeps())
        try:
            yield
        finally:
            sweeps.cancel()
            await asyncio.gather(sweeps, return_exceptions=True)

    async def _sweeps(self) -> None:
        jobs, lease = self._runs.jobs.declared.by_kind.values(), self._settings.lease_seconds
        longest = max((job.timeout_seconds for job in jobs), default=0.0) + lease
        while True:
            try:
                found = await self._app.connector.execute_query_all_async(
                    ABANDONED, lease=lease, longest=longest
                )
                if found:
                    log("jobs_taken_over", count=len(found))
            except Exception as error:  # noqa: BLE001  the next sweep may do better
                log_failure("job_sweep_failed", error)
            await asyncio.sleep(lease / 4)
