"""Bytes that two servers could cut into different requests are no request here."""

import socket
import subprocess
import time
from collections.abc import Generator, Mapping

import pytest

from serving import spoken, start, wait_for

pytestmark = pytest.mark.full

HEAD = b"HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
INNER = b"GET /v1/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
SMUGGLED = {
    "CL.TE": b"POST /livez " + HEAD + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"0\r\n\r\nG" + INNER,
    "TE.CL": b"POST /livez " + HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n"
    b"5c\r\n" + INNER + b"\r\n0\r\n\r\n",
    "two lengths": b"POST /livez "
    + HEAD
    + b"Content-Length: 0\r\nContent-Length: 40\r\n\r\n"
    + INNER,
    "a list of lengths": b"POST /livez " + HEAD + b"Content-Length: 0, 40\r\n\r\n" + INNER,
    "a signed length": b"POST /livez " + HEAD + b"Content-Length: +0\r\n\r\n" + INNER,
    "a negative length": b"POST /livez " + HEAD + b"Content-Length: -1\r\n\r\n" + INNER,
    "TE.TE": b"POST /livez " + HEAD + b"Transfer-Encoding: chunked\r\n"
    b"Transfer-Encoding: x\r\n\r\n0\r\n\r\n" + INNER,
    "an unknown coding": b"POST /livez " + HEAD + b"Transfer-Encoding: xchunked\r\n\r\n" + INNER,
    "a blank before the colon": b"GET /livez " + HEAD + b"Content-Length : 40\r\n\r\n" + INNER,
    "a folded header": b"GET /livez "
    + HEAD
    + b"X-A: b\r\n Transfer-Encoding: chunked\r\n\r\n"
    + INNER,
    "a lone line feed": b"GET /livez HTTP/1.1\nHost: x\nConnection: close\n\n" + INNER,
    "a bare carriage return": b"GET /livez " + HEAD + b"X-A: a\rX-B: b\r\n\r\n" + INNER,
    "NUL in a header": b"GET /livez " + HEAD + b"X-A: a\0b\r\n\r\n" + INNER,
    "a chunk size that is none": b"POST /livez " + HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    b"zz\r\n" + INNER,
    "a chunk size beyond all": b"POST /livez " + HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    b"ffffffffffffffffff\r\n" + INNER,
    "HTTP/0.9": b"GET /livez\r\n\r\n" + INNER,
    "HTTP/2 in the clear": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a tunnel": b"CONNECT evil.example:443 " + HEAD + b"\r\n",
    "no host": b"GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "two hosts": b"GET /livez HTTP/1.1\r\nHost: x\r\nHost: y\r\nConnection: close\r\n\r\n",
    "no path": b"GET x://[ " + HEAD + b"\r\n",
}
DOTTED = ["/v1/../livez", "/./livez", "/livez/..", "/livez/../livez", "/x\\..\\livez", "/%2e/livez"]


@pytest.fixture(scope="module")
def url(environment: Mapping[str, str]) -> Generator[str]:
    process, url = start(environment, subprocess.DEVNULL)
    wait_for(f"{url}/readyz", 200)
    yield url
    process.kill()
    process.communicate()


def statuses(answer: bytes) -> list[int]:
    return [int(piece[:3]) for piece in answer.split(b"HTTP/1.1 ")[1:]]


@pytest.mark.case("V-12", "V-05")
@pytest.mark.parametrize("sent", SMUGGLED.values(), ids=SMUGGLED.keys())
def test_what_can_be_cut_in_two_ways_is_refused(url: str, sent: bytes) -> None:
    plain = b"GET /livez " + HEAD + b"\r\n"
    assert statuses(spoken(url, plain)) == [200]
    answer = spoken(url, sent)
    assert all(status in {400, 404, 405} for status in statuses(answer)), answer
    assert len(statuses(answer)) <= 1, "the second request was answered"
    wait_for(f"{url}/livez", 200)


@pytest.mark.case("Z-03")
@pytest.mark.parametrize("path", DOTTED)
def test_dots_in_a_path_lead_nowhere(url: str, path: str) -> None:
    answer = spoken(url, f"GET {path} ".encode() + HEAD + b"\r\n")
    assert statuses(answer) == [400], answer
    assert b"application/problem+json" in answer


@pytest.mark.case("V-05")
@pytest.mark.parametrize("path", ["/livez", "/v1/nothing"])
def test_a_body_without_end_is_cut_off(url: str, path: str) -> None:
    head = f"POST {path} ".encode() + HEAD + b"Content-Type: application/json\r\n"
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    began = time.monotonic()
    answer = spoken(url, head + b"Transfer-Encoding: chunked\r\n\r\n", *[chunk] * 800)
    assert statuses(answer) in ([413], [404], [405], []), answer
    assert time.monotonic() - began < 10
    wait_for(f"{url}/livez", 200)


@pytest.mark.case("V-05")
def test_fifty_megabytes_are_refused_before_they_are_read(url: str) -> None:
    head = b"POST /livez " + HEAD + b"Content-Length: 50000000\r\n\r\n"
    assert statuses(spoken(url, head)) == [413]


@pytest.mark.case("V-05")
def test_a_body_shorter_than_its_length_is_no_request(url: str) -> None:
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(b"POST /livez " + HEAD + b"Content-Type: application/json\r\n")
        connection.sendall(b"Content-Length: 100\r\n\r\n{}")
        connection.shutdown(socket.SHUT_WR)
        assert statuses(connection.recv(65536)) in ([], [400])
    wait_for(f"{url}/livez", 200)
