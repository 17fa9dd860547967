"""The process as an operator sees it: it starts, says so, drains and stops."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from pathlib import Path
from secrets import token_hex

import httpx2
import pytest

ROOT = Path(__file__).parents[2]
SECONDS = 30.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(environment: Mapping[str, str], **changes: str) -> tuple[subprocess.Popen[str], str]:
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
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return process, f"http://127.0.0.1:{port}"


def wait_for(url: str, status: int) -> None:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        try:
            if httpx2.get(url).status_code == status:
                return
        except httpx2.HTTPError:
            pass
        time.sleep(0.05)
    pytest.fail(f"{url} never answered {status}")


@pytest.fixture
def served(environment: Mapping[str, str]) -> Generator[tuple[subprocess.Popen[str], str]]:
    process, url = start(environment, HTTP_DRAIN_SECONDS="1.5")
    yield process, url
    process.kill()
    process.communicate()


def test_it_drains_before_it_stops(served: tuple[subprocess.Popen[str], str]) -> None:
    process, url = served
    for probe in ("startupz", "readyz", "livez"):
        wait_for(f"{url}/{probe}", 200)
    process.send_signal(signal.SIGTERM)
    wait_for(f"{url}/readyz", 503)
    assert httpx2.get(f"{url}/livez").status_code == 200, "still serving while it drains"
    assert process.wait(SECONDS) in {0, -signal.SIGTERM}


def test_ctrl_c_does_not_wait_for_the_drain(environment: Mapping[str, str]) -> None:
    process, url = start(environment, HTTP_DRAIN_SECONDS="600")
    try:
        wait_for(f"{url}/readyz", 200)
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) is not None, "it waited for the drain"
    finally:
        process.kill()
        process.communicate()


def test_the_process_tells_strangers_nothing_of_its_make(
    served: tuple[subprocess.Popen[str], str],
) -> None:
    _, url = served
    wait_for(f"{url}/livez", 200)
    assert "server" not in httpx2.get(f"{url}/livez").headers


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"TENANCY_KEY": "change-me"}, "TENANCY_KEY: still holds a placeholder"),
        ({"DATABASE_URL": "postgresql://service_app:x@127.0.0.1:1/none"}, "DATABASE_URL"),
        ({"SERVICE_ENVIRONMENT": "production"}, "IDENTITY_DEVELOPMENT_KEY"),
    ],
)
def test_what_is_wrong_ends_it_with_a_message(
    environment: Mapping[str, str], changes: dict[str, str], said: str
) -> None:
    process, _ = start(environment, **changes)
    output, _ = process.communicate(timeout=SECONDS)
    assert process.returncode != 0
    assert said in output
    assert "password-of-a-test" not in output


def test_production_refuses_a_postgres_below_the_safe_floor(
    environment: Mapping[str, str],
) -> None:
    without = {k: v for k, v in environment.items() if k != "IDENTITY_DEVELOPMENT_KEY"}
    keys = {name: token_hex(32) for name in ("TENANCY_KEY", "HTTP_CURSOR_KEY")}
    process, _ = start(without, SERVICE_ENVIRONMENT="production", **keys)
    try:
        output, _ = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
    assert "upgrade to at least one of" in output


def test_the_service_by_itself_knows_every_table_it_refers_to() -> None:
    """A foreign key to a model that only the tests import would fail at the first insert."""
    code = "import service.main; from service.chassis.application.tables import Table; "
    code += "print(len(Table.metadata.sorted_tables))"
    call = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(
        call, env={"PYTHONPATH": "src"}, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


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


def test_a_head_without_end_is_refused(served: tuple[subprocess.Popen[str], str]) -> None:
    _, url = served
    wait_for(f"{url}/readyz", 200)
    flood = [b"GET /livez HTTP/1.1\r\nHost: x\r\nX-A: ", *[b"a" * 65536] * 64]
    assert b" 200 " not in spoken(url, *flood, b"\r\nConnection: close\r\n\r\n")
    wait_for(f"{url}/livez", 200)


def test_a_length_of_thousands_of_digits_is_no_crash(
    served: tuple[subprocess.Popen[str], str],
) -> None:
    _, url = served
    wait_for(f"{url}/readyz", 200)
    head = b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: "
    assert b" 200 " in spoken(url, head + b"0" * 5000 + b"\r\n\r\n").split(b"\r\n")[0]
    wait_for(f"{url}/livez", 200)
