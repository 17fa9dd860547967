"""`python -m service jobs dead <tenant>` and `… replay <tenant> [<job> …]`: for operators."""

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING
from uuid import UUID

from service.chassis.application.dead_jobs import DeadJobs, dead_jobs
from service.chassis.application.jobs import JobId
from service.chassis.application.put_jobs import PutJobs
from service.chassis.errors import NotFound
from service.chassis.identity import TenantId

if TYPE_CHECKING:
    from service.chassis.app import Service


def tend(app: "Service", arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m service jobs")
    commands = parser.add_subparsers(dest="command", required=True)
    dead = commands.add_parser("dead", help="the jobs of a tenant that nobody could do, and why")
    replay = commands.add_parser("replay", help="start these anew, or all dead ones of the tenant")
    for command in (dead, replay):
        command.add_argument("tenant_id", type=UUID)
    replay.add_argument("job_ids", type=UUID, nargs="*")
    asyncio.run(_done(app, parser.parse_args(arguments)))


async def _done(app: "Service", asked: argparse.Namespace) -> None:
    tenant_id = TenantId(asked.tenant_id)
    async with dead_jobs(app.settings, PutJobs(app.jobs, app.settings.jobs)) as dead:
        if asked.command == "dead":
            for job in await dead.listed(tenant_id):
                _say(f"{job.id}  {job.finished_at:%Y-%m-%d %H:%M}  {job.kind}  {job.reason}")
        else:
            await _replay(dead, tenant_id, asked.job_ids)


async def _replay(dead: DeadJobs, tenant_id: TenantId, named: list[UUID]) -> None:
    for job_id in named or [job.id for job in await dead.listed(tenant_id)]:
        if not await dead.replayed(tenant_id, JobId(job_id)):
            raise NotFound(f"There is no dead job {job_id} in this tenant.")
        _say(f"{job_id}  starts anew")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
