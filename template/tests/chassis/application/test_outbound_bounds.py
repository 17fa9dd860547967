"""A stranger that is slow, endless or someone else costs a bounded time and a bounded memory."""

import asyncio
import ssl
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from service.chassis.errors import AddressUnreachable
from strangers import OK, Handler, Names, outbound, stranger

QUICK = {"seconds": 0.5, "body_bytes": 10_000, "head_bytes": 1_000}
HEAD = b"HTTP/1.1 200 OK\r\n"


async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Never silent for long enough to be called dead."""
    writer.write(HEAD + b"Content-Length: 9000\r\n\r\n")
    for character in b"x" * 9000:
        writer.write(bytes([character]))
        await writer.drain()
        await asyncio.sleep(0.02)


async def dripping_head(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD)
    for number in range(9000):
        writer.write(b"X-%d: y\r\n" % number)
        await writer.drain()
        await asyncio.sleep(0.02)


async def silence(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(5)


async def endless_body(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"400\r\n" + b"x" * 1024 + b"\r\n")
        await writer.drain()


async def endless_head(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD)
    while True:
        writer.write(b"X-Padding: " + b"x" * 1024 + b"\r\n")
        await writer.drain()


async def long_head(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"X-Padding: " + b"x" * 2000 + b"\r\nContent-Length: 0\r\n\r\n")


async def packed(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nxxxx")


async def nonsense(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")


async def half_a_body(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"Content-Length: 900\r\n\r\nhalf")


HOSTILE = [
    drip,
    dripping_head,
    silence,
    endless_body,
    endless_head,
    long_head,
    packed,
    nonsense,
    half_a_body,
]


@pytest.mark.parametrize("speak", HOSTILE, ids=lambda speak: speak.__name__)
async def test_whatever_it_does_it_is_over_in_time(speak: Handler) -> None:
    names = Names(hook_test=[["127.0.0.1"]])
    async with (
        stranger(speak=speak) as server,
        stranger() as decent,
        outbound(names, server.port, decent.port, bounds=QUICK) as client,
    ):
        began = time.monotonic()
        with pytest.raises(AddressUnreachable) as refused:
            await client.get(f"http://hook.test:{server.port}/")
        assert time.monotonic() - began < 2
        assert "SSH" not in str(refused.value)
        assert (await client.get(f"http://hook.test:{decent.port}/")).body == b"ok"


async def test_a_body_of_just_the_bound_is_taken_and_one_byte_more_is_not() -> None:
    def sized(length: int) -> bytes:
        return HEAD + b"Content-Length: %d\r\n\r\n" % length + b"x" * length

    names = Names(hook_test=[["127.0.0.1"]])
    async with (
        stranger(sized(10_000), sized(10_001)) as server,
        outbound(names, server.port, bounds=QUICK) as client,
    ):
        url = f"http://hook.test:{server.port}/"
        assert len((await client.get(url)).body) == 10_000
        with pytest.raises(AddressUnreachable, match="more than is accepted"):
            await client.get(url)


async def test_a_slow_name_service_is_within_the_same_bound() -> None:
    async def slow(_host: str, _port: int) -> list[str]:
        await asyncio.sleep(30)
        return []

    async with outbound(slow, 443, bounds=QUICK) as client:
        with pytest.raises(AddressUnreachable):
            await client.get("http://hook.test:443/")


async def test_nobody_there_is_the_same_as_nonsense() -> None:
    async with stranger() as server:
        port = server.port
    async with outbound(Names(hook_test=[["127.0.0.1"]]), port) as client:
        with pytest.raises(AddressUnreachable):
            await client.get(f"http://hook.test:{port}/")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of hook.test, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hook.test")])
    today = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hook.test")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file = tmp_path_factory.mktemp("tls") / "hook.pem"
    file.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.mark.case("V-09")
async def test_the_certificate_must_be_that_of_the_name_although_an_address_is_called(
    certificate: Path,
) -> None:
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(certificate)
    trusting = ssl.create_default_context(cafile=str(certificate))
    names = Names(hook_test=[["127.0.0.1"]], other_test=[["127.0.0.1"]])
    async with (
        stranger(OK, tls=serving) as server,
        outbound(names, server.port, tls=trusting) as client,
    ):
        assert (await client.get(f"https://hook.test:{server.port}/")).body == b"ok"
        for other in ("other.test", "127.0.0.1"):
            with pytest.raises(AddressUnreachable):
                await client.get(f"https://{other}:{server.port}/")


async def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: Path) -> None:
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(certificate)
    names = Names(hook_test=[["127.0.0.1"]])
    async with (
        stranger(OK, tls=serving) as server,
        outbound(names, server.port) as client,
    ):
        with pytest.raises(AddressUnreachable):
            await client.get(f"https://hook.test:{server.port}/")
