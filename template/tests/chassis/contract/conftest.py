"""What the tests of the contract share."""

import socket
import threading
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from chassis.contract.limited import Limiting

from service.chassis.settings import Settings


@pytest.fixture
async def limiting(settings: Settings) -> AsyncGenerator[Limiting]:
    async with AsyncExitStack() as stack:
        yield Limiting(settings, stack)


@pytest.fixture
def listener() -> Generator[tuple[str, list[Any]]]:
    """An address, and who connected to it."""
    connections: list[Any] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_accept, args=(server, connections), daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/keys", connections
        server.shutdown(socket.SHUT_RDWR)


def _accept(server: socket.socket, connections: list[Any]) -> None:
    while True:
        try:
            connections.append(server.accept()[1])
        except OSError:
            return
