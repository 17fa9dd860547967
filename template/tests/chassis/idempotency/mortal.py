"""A process of the service that is killed, and has no say in it: before or after the commit."""

import os
import signal
import sys
from typing import Any

import uvicorn
from chassis.idempotency import deeds

from service.chassis.app import create_app
from service.chassis.settings import load_settings


def main(port: int) -> None:
    service = create_app(load_settings(), [deeds.router])

    async def killed_as_it_answers(scope: Any, receive: Any, send: Any) -> None:
        async def die(message: Any) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        deadly = scope["type"] == "http" and scope["method"] == "POST"
        await service(scope, receive, die if deadly else send)

    uvicorn.run(killed_as_it_answers, port=port, log_level="error")


if __name__ == "__main__":
    main(int(sys.argv[1]))
