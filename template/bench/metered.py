"""Both applications behind one more path that tells the CPU seconds of their process."""

import sys
import time
from importlib import import_module

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send


class Metered:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/cpu":
            return await self._app(scope, receive, send)
        body = str(time.process_time()).encode()
        length = (b"content-length", str(len(body)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        return await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    module, name, port = sys.argv[1:]
    app = getattr(import_module(module), name)
    uvicorn.run(
        Metered(app() if module == "service.main" else app),
        port=int(port),
        http="httptools",
        loop="asyncio",
        access_log=False,
        log_level="warning",
        server_header=False,
    )
