"""A request that does not arrive is not waited for."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from service.chassis.contract.wire import MAX_HEAD_BYTES, BoundedProtocol


class Impatient(BoundedProtocol):
    request_seconds = 0.3


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        await receive()
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok"})


@asynccontextmanager
async def listening(http: type[BoundedProtocol], most: int | None = None) -> AsyncGenerator[int]:
    config = uvicorn.Config(
        echo, port=0, http=http, lifespan="off", log_level="critical", limit_concurrency=most
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers nothing to wait for
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


@pytest.fixture
async def port() -> AsyncGenerator[int]:
    async with listening(Impatient) as port:
        yield port


@pytest.fixture
async def crowded() -> AsyncGenerator[int]:
    async with listening(BoundedProtocol, most=2) as port:
        yield port


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET / HT", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\nx"],
    ids=["nothing", "half a head", "half a body"],
)
async def test_what_never_arrives_is_given_up(port: int, sent: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    async with asyncio.timeout(5):
        await reader.read()
    assert reader.at_eof()
    writer.close()


async def test_a_connection_that_asks_properly_is_served_again_and_again(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(3):
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(5):
            assert b"200" in await reader.readuntil(b"\r\n\r\n")
            await reader.readuntil(b"ok")
        await asyncio.sleep(0.2)
    writer.close()


@pytest.mark.case("V-05")
async def test_a_body_that_trickles_in_is_given_up(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    began = asyncio.get_running_loop().time()
    while not reader.at_eof() and asyncio.get_running_loop().time() - began < 5:
        writer.write(b"1\r\nx\r\n")
        with suppress(TimeoutError):
            async with asyncio.timeout(0.1):
                await reader.read(1000)
    assert asyncio.get_running_loop().time() - began < 4, "it was waited for"
    writer.close()


@pytest.mark.parametrize(
    "sent",
    [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nlong: ".ljust(MAX_HEAD_BYTES + 1, b"x")],
    ids=["no HTTP", "a head without end"],
)
async def test_what_cannot_be_read_gets_a_problem(port: int, sent: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    async with asyncio.timeout(5):
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"content-type: application/problem+json" in head
    assert b"connection: close" in head
    assert b"x-content-type-options: nosniff" in head
    assert json.loads(body)["code"] == "malformed"
    assert json.loads(body)["trace_id"].encode() in head
    writer.close()


async def test_a_crowd_is_refused_with_a_problem_and_then_not_at_all(crowded: int) -> None:
    served = [await asyncio.open_connection("127.0.0.1", crowded) for _ in range(2)]
    for reader, writer in served:
        assert b" 200 " in await asked(reader, writer)
    refused = [await asyncio.open_connection("127.0.0.1", crowded) for _ in range(2)]
    for reader, writer in refused:
        answer = await asked(reader, writer)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"application/problem+json" in answer
        assert b"retry-after" in answer
    beyond, writer = await asyncio.open_connection("127.0.0.1", crowded)
    async with asyncio.timeout(5):
        assert await beyond.read() == b""
    for _, each in [*served, *refused, (beyond, writer)]:
        each.close()


async def asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    async with asyncio.timeout(5):
        return await reader.readuntil(b"\r\n\r\n")
