"""The process as an operator sees it: it starts, says so, drains and stops."""

import signal
import subprocess
import sys
from collections.abc import Generator, Mapping
from pathlib import Path
from secrets import token_hex

import httpx2
import pytest

from serving import SECONDS, spoken, start, wait_for

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def url(environment: Mapping[str, str]) -> Generator[str]:
    """A process for all questions that leave it as it was."""
    process, address = start(environment)
    wait_for(f"{address}/readyz", 200)
    yield address
    process.kill()
    process.communicate()


def test_it_drains_before_it_stops(environment: Mapping[str, str]) -> None:
    process, url = start(environment, HTTP_DRAIN_SECONDS="1.5")
    try:
        for probe in ("startupz", "readyz", "livez"):
            wait_for(f"{url}/{probe}", 200)
        process.send_signal(signal.SIGTERM)
        wait_for(f"{url}/readyz", 503)
        assert httpx2.get(f"{url}/livez").status_code == 200, "still serving while it drains"
        assert process.wait(SECONDS) in {0, -signal.SIGTERM}
    finally:
        process.kill()
        process.communicate()


def test_ctrl_c_does_not_wait_for_the_drain(environment: Mapping[str, str]) -> None:
    process, url = start(environment, HTTP_DRAIN_SECONDS="600")
    try:
        wait_for(f"{url}/readyz", 200)
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) is not None, "it waited for the drain"
    finally:
        process.kill()
        process.communicate()


def test_the_process_tells_strangers_nothing_of_its_make(url: str) -> None:
    assert "server" not in httpx2.get(f"{url}/livez").headers


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"TENANCY_KEY": "change-me"}, "TENANCY_KEY: still holds a placeholder"),
        ({"DATABASE_URL": "postgresql://service_app:x@127.0.0.1:1/none"}, "DATABASE_URL"),
        ({"SERVICE_ENVIRONMENT": "production"}, "IDENTITY_SIGNING_KEY"),
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
    names = ("TENANCY_KEY", "HTTP_CURSOR_KEY", "IDENTITY_SIGNING_KEY", "ACCOUNTS_KEY")
    changes = {name: token_hex(32) for name in names} | {
        "HTTP_ALLOWED_HOSTS": "*",
        "HTTP_PUBLIC_URL": "https://service.example",
        "ACCOUNTS_ENABLED": "true",
        "ACCOUNTS_MAIL_URL": "smtps://mail.example",
    }
    process, _ = start(environment, SERVICE_ENVIRONMENT="production", **changes)
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


def test_a_head_without_end_is_refused(url: str) -> None:
    flood = [b"GET /livez HTTP/1.1\r\nHost: x\r\nX-A: ", *[b"a" * 65536] * 64]
    assert b" 200 " not in spoken(url, *flood, b"\r\nConnection: close\r\n\r\n")
    wait_for(f"{url}/livez", 200)


def test_a_length_of_thousands_of_digits_is_no_crash(url: str) -> None:
    head = b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: "
    assert b" 200 " in spoken(url, head + b"0" * 5000 + b"\r\n\r\n").split(b"\r\n")[0]
    wait_for(f"{url}/livez", 200)


@pytest.mark.case("V-14")
def test_trace_is_not_mirrored(url: str) -> None:
    head = b"Host: x\r\nX-Secret: mirrored\r\nConnection: close\r\n\r\n"
    assert b" 200 " in spoken(url, b"GET /livez HTTP/1.1\r\n" + head)
    answer = spoken(url, b"TRACE /livez HTTP/1.1\r\n" + head)
    assert b" 405 " in answer
    assert b"mirrored" not in answer


@pytest.mark.case("R-02", "V-13")
def test_a_forged_address_is_believed_by_no_part_of_the_server(
    environment: Mapping[str, str],
) -> None:
    process, url = start(environment, LIMITS_STRAYS_PER_MINUTE="3")
    try:
        wait_for(f"{url}/readyz", 200)
        answers = [
            httpx2.get(f"{url}/nothing", headers={"x-forwarded-for": f"203.0.113.{number}"})
            for number in range(6)
        ]
    finally:
        process.kill()
        process.communicate()
    assert [answer.status_code for answer in answers] == [404] * 3 + [429] * 3
