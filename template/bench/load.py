"""Keep-alive connections that ask the same thing for a while, and count the answers."""

import asyncio
import time
from dataclasses import dataclass

CONNECTIONS = 16


@dataclass(frozen=True)
class Ask:
    method: str
    path: str
    token: str = ""
    body: str = ""

    def wire(self) -> bytes:
        lines = [
            f"{self.method} {self.path} HTTP/1.1",
            "host: bench",
            f"content-length: {len(self.body)}",
        ]
        lines += [f"authorization: Bearer {self.token}"] if self.token else []
        lines += ["content-type: application/json"] if self.body else []
        return ("\r\n".join(lines) + "\r\n\r\n" + self.body).encode()


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head[9:12])
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return status, await reader.readexactly(length)


async def once(port: int, ask: Ask) -> tuple[int, bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(ask.wire())
    answered = await answer(reader)
    writer.close()
    return answered


async def many(port: int, ask: Ask, seconds: float) -> int:
    """How many were answered well; anything but a 2xx ends the run."""
    until = time.monotonic() + seconds
    return sum(await asyncio.gather(*(_one(port, ask, until) for _ in range(CONNECTIONS))))


async def _one(port: int, ask: Ask, until: float) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    wire, answered = ask.wire(), 0
    while time.monotonic() < until:
        writer.write(wire)
        status, body = await answer(reader)
        if status // 100 != 2:
            raise RuntimeError(f"{ask.method} {ask.path}: {status} {body!r}")
        answered += 1
    writer.close()
    return answered
