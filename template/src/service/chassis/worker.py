"""`python -m service worker`: does the jobs that the service put; SIGTERM drains it."""

import asyncio
from typing import TYPE_CHECKING

from service.chassis.application.capability import CapabilityKey
from service.chassis.application.database import Database
from service.chassis.application.jobs import Declared
from service.chassis.application.periodic_jobs import PeriodicJobs
from service.chassis.application.posture import refuse_unsafe_database
from service.chassis.application.put_jobs import PutJobs
from service.chassis.application.run_jobs import RunJobs
from service.chassis.intelligence.gateway import Intelligence, Model
from service.chassis.settings import Settings, SettingsRefused
from service.chassis.telemetry.logs import log

if TYPE_CHECKING:
    from service.chassis.app import Service


def work(app: "Service") -> None:
    asyncio.run(worked(app.settings, app.jobs, app.model))


async def worked(settings: Settings, declared: Declared, model: Model) -> None:
    # Here and nowhere else: what serves requests never loads the library of the queue.
    from service.chassis.application.job_queue import JobQueue  # noqa: PLC0415

    url = settings.database.queue_url
    if url is None:
        raise SettingsRefused("DATABASE_QUEUE_URL: missing; the URL of the role service_worker")
    if declared.periodic and settings.database.system_url is None:
        raise SettingsRefused("DATABASE_SYSTEM_URL: missing; periodic jobs look up the tenants")
    database = Database(settings.database, CapabilityKey.of(settings.tenancy))
    try:
        await refuse_unsafe_database(database, production=settings.production)
        intelligence, jobs = Intelligence(model), PutJobs(declared, settings.jobs)
        periodic = PeriodicJobs(database, intelligence, jobs, settings.database)
        runs = RunJobs(database, intelligence, jobs)
        queue = JobQueue(url.get_secret_value(), settings.jobs, runs, periodic.put_in_all_tenants)
        log("worker_started", concurrency=settings.jobs.concurrency, kinds=[*declared.by_kind])
        await queue.work()
    finally:
        await database.engine.dispose()
    log("worker_stopped")
