"""Owned by the template: the service as a process of its own, and clients that talk badly to it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx2
import pytest

ROOT = Path(__file__).parents[1]
SECONDS = 30.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(
    environment: Mapping[str, str], output: int = subprocess.PIPE, /, **changes: str
) -> tuple[subprocess.Popen[str], str]:
    """The process and its address; a pipe holds only so much before its writer waits."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "service"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": "src",
            **environment,
            "HTTP_PORT": str(port),
            **changes,
        },
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return process, f"http://127.0.0.1:{port}"


def wait_for(url: str, status: int, seconds: float = SECONDS) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if httpx2.get(url).status_code == status:
                return
        except httpx2.HTTPError:
            pass
        time.sleep(0.05)
    pytest.fail(f"{url} never answered {status}")


def spoken(url: str, *pieces: bytes, pause: float = 0) -> bytes:
    """What the server answers to bytes that no client library would send."""
    host, port = url.removeprefix("http://").split(":")
    answer = b""
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(pause)
            while more := connection.recv(65536):
                answer += more
        except (ConnectionError, TimeoutError):
            pass
    return answer
