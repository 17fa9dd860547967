"""The interface does what its document says, for good and for bad input alike.

`make contract-fuzz cases=20000` is the long run; every run of the tests does a little of it.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path

import pytest
from chassis.fuzz.agreeable import NAME, agreeable
from chassis.fuzz.running import (
    Fuzz,
    no_problems,
    summary,
    undocumented,
    unknowable,
    unreached,
)
from chassis.fuzz.stage import TENANT

from callers import KEY
from service.chassis.app import Service, create_app
from service.chassis.application.system import SystemDoor, create_tenant
from service.chassis.contract.guards import routes_of
from serving import free_port, start, wait_for

HERE = Path(__file__).parent
CASES = int(os.environ.get("CONTRACT_CASES", "100"))
LONG = CASES > 100
SECONDS = 0 if LONG else 300


@pytest.fixture
def fuzz(tmp_path: Path) -> Fuzz:
    return Fuzz(tmp_path, max(2, min(100, CASES // 50)), LONG)


@pytest.fixture
def provided(environment: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """With a provider to sign in at, and trust in whom the fuzz says to be at which address."""
    with agreeable() as issuer:
        known = {"name": NAME, "issuer": issuer, "algorithm": "ES256"}
        known |= {"client_id": "service", "client_secret": "secret-of-the-service"}
        yield {
            **environment,
            "IDENTITY_SEALING_KEY": KEY[::-1],
            "IDENTITY_PROVIDERS": json.dumps([known]),
            "HTTP_TRUSTED_PROXIES": "127.0.0.1",
        }


@pytest.fixture
def url(provided: Mapping[str, str]) -> Iterator[str]:
    process, url = start(provided, subprocess.DEVNULL)
    with process:
        wait_for(f"{url}/readyz", 200)
        yield url
        process.kill()


@pytest.mark.case("V-01")
@pytest.mark.timeout(SECONDS)
async def test_the_service_answers_as_its_document_says(
    app: Service, door: SystemDoor, provided: Mapping[str, str], url: str, fuzz: Fuzz
) -> None:
    for seed in count(1):
        # In one tenant for all of them, some answers would grow longer and longer.
        told = {**provided, TENANT: str(await create_tenant(door, actor="tests", name="fuzzed"))}
        found = fuzz.run(url, "hooks", unknowable(app.openapi()), seed, **told)
        assert not found["failures"], found["said"]
        assert not found["errors"], found["said"]
        assert found["operations"]["total"] == found["operations"]["tested"] > 0
        print(summary(fuzz.sent()))  # noqa: T201 - the figures of the long run
        if len(fuzz.sent()) >= CASES:
            break
    chassis = {f"{route.method} {route.path}" for route in routes_of(create_app(app.settings, []))}
    assert undocumented(fuzz.sent()) == []
    assert no_problems(fuzz.sent()) == []
    assert unreached(fuzz.sent(), chassis) == []


@pytest.mark.case("V-01")
@pytest.mark.timeout(SECONDS)
def test_the_fuzz_finds_what_is_wrong(tmp_path: Path) -> None:
    fuzz, port = Fuzz(tmp_path, 5, thorough=True), free_port()
    call = [sys.executable, "-m", "uvicorn", "flawed:app", "--port", str(port)]
    with subprocess.Popen([*call, "--log-level", "critical"], cwd=HERE) as process:
        wait_for(f"http://127.0.0.1:{port}/openapi.json", 200)
        found = fuzz.run(f"http://127.0.0.1:{port}", "checks", {}, 1)
        process.kill()
    codes = {failure["code"] for failure in found["failures"]}
    crashed, undocumented_status, undocumented_content = "ST101", "ST103", "ST105"
    assert {crashed, undocumented_status, undocumented_content} <= codes
    assert "refused for its shape" in found["said"]
    assert "GET /closed: 403" in undocumented(fuzz.sent())
    assert "GET /closed: 403" in no_problems(fuzz.sent())
    assert "GET /closed" in unreached(fuzz.sent(), set())
    assert "GET /picky" not in unreached(fuzz.sent(), {"GET /picky"})
    assert "GET /closed" in unreached(fuzz.sent(), {"GET /closed"})
