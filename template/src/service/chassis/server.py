"""Serving one process: SIGTERM drains before it stops."""

import asyncio
import signal
from functools import partial
from types import FrameType

import uvicorn
from fastapi import FastAPI

from service.chassis.contract.wire import BoundedProtocol
from service.chassis.settings import Settings


class DrainingServer(uvicorn.Server):
    """Says not ready for a while first, so that no load balancer sends a request into a wall."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, drain_seconds: float) -> None:
        super().__init__(config)
        self._app = app
        self._drain_seconds = drain_seconds
        self._draining = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        stop = partial(super().handle_exit, sig, frame)
        if sig != signal.SIGTERM or self._draining or not self.started:
            return stop()
        self._draining = True
        self._app.state.health.draining = True
        loop = asyncio.get_running_loop()
        loop.call_soon_threadsafe(loop.call_later, self._drain_seconds, stop)
        return None


def serve(app: FastAPI, settings: Settings) -> None:
    config = uvicorn.Config(
        app,
        host=settings.http.host,
        port=settings.http.port,
        http=BoundedProtocol,
        access_log=False,
        server_header=False,
        # Whose address it is, `contract/address.py` decides.
        proxy_headers=False,
        timeout_graceful_shutdown=30,
        limit_concurrency=1000,
    )
    DrainingServer(config, app, settings.http.drain_seconds).run()
