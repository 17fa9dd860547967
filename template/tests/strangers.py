"""Owned by the template: servers of people that nobody here trusts, and a name service for them."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from ssl import SSLContext

from service.chassis.application.outbound import Bounds, Outbound, Resolve
from service.chassis.application.reach import Reach

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PUBLIC = "93.184.215.14"


@dataclass
class Stranger:
    """A server on loopback, and the requests that it got."""

    port: int = 0
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)


@asynccontextmanager
async def stranger(
    *answers: bytes,
    host: str = "127.0.0.1",
    speak: Handler | None = None,
    tls: SSLContext | None = None,
) -> AsyncGenerator[Stranger]:
    """Gives one answer after the other, the last one again and again; or speaks as told."""
    known, left = Stranger(), list(answers or (OK,))

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _read(reader, known)
            if speak is None:
                writer.write(left.pop(0) if len(left) > 1 else left[0])
                await writer.drain()
            else:
                await speak(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, host, 0, ssl=tls)
    known.port = server.sockets[0].getsockname()[1]
    async with server:
        yield known


async def _read(reader: asyncio.StreamReader, known: Stranger) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    known.heads.append(head)
    sizes = [line.partition(":")[2] for line in head.lower().split("\r\n") if "-length:" in line]
    known.bodies.append(await reader.readexactly(int(sizes[0]) if sizes else 0))


def redirect(location: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


class Names:
    """A name service: each look-up takes the next answer, the last one stays."""

    def __init__(self, **known: Sequence[Sequence[str]]) -> None:
        self._known = {name.replace("_", "."): list(answers) for name, answers in known.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, _port: int) -> Sequence[str]:
        self.asked.append(host)
        with suppress(ValueError):
            return [str(ip_address(host))]
        if host not in self._known:
            raise OSError("no such name")
        answers = self._known[host]
        return answers.pop(0) if len(answers) > 1 else answers[0]


@asynccontextmanager
async def outbound(
    names: Resolve,
    *ports: int,
    bounds: Mapping[str, float] | None = None,
    tls: SSLContext | None = None,
    also: str = "127.0.0.1/32",
) -> AsyncGenerator[Outbound]:
    """Counts one loopback address as public, which no setting can do."""
    reach = Reach(
        frozenset({"https"} if tls else {"http", "https"}), frozenset(ports), (ip_network(also),)
    )
    made = Outbound(reach, Bounds(**(bounds or {})), resolve=names, tls=tls)  # type: ignore[arg-type]
    try:
        yield made
    finally:
        await made.close()
