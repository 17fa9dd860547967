"""The worker of `make dev`: started anew when the code changes, like the service itself."""

from typing import Any

import uvicorn
from uvicorn.supervisors import ChangeReload

from service.chassis.worker import work


def serve_jobs() -> None:
    config = uvicorn.Config("service.main:build", reload=True, reload_dirs=["src"])
    ChangeReload(config, target=started_anew, sockets=[]).run()


def started_anew(sockets: Any) -> None:  # noqa: ARG001  the supervisor is made for servers
    # Here, so that it is read again each time.
    from service.main import build  # noqa: PLC0415

    work(build())
