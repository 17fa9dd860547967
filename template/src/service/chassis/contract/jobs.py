"""How a route gets at the port for work that is done later."""

from typing import Annotated

from fastapi import Depends, Request

from service.chassis.application.jobs import Jobs


async def _jobs(request: Request) -> Jobs:
    jobs: Jobs = request.state.jobs
    return jobs


PutsJobs = Annotated[Jobs, Depends(_jobs)]
