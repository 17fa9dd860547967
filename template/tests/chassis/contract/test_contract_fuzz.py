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
from typing import Any

import pytest

from callers import Person
from service.chassis.app import Service
from service.chassis.identity import Role, TenantId
from serving import free_port, start, wait_for

HERE = Path(__file__).parent
CASES = int(os.environ.get("CONTRACT_CASES", "100"))
EXAMPLES = max(5, min(300, CASES // 20))
SECONDS = 120 if CASES <= 100 else 0

# What no document can say: whose row it is, which version it has, which cursor was signed.
LIMITS = """
[generation]
allow-x00 = false
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "404", "409", "412", "429", "503"]
[checks.negative_data_rejection]
expected-statuses = ["4xx"]
[checks.missing_required_header]
expected-statuses = ["400", "401", "422", "428"]
"""
# They would end the session that asks; all answers after that say nothing.
FAREWELLS = ("POST /v1/browser/sign-out", "DELETE /v1/sessions/{session_id}")
LEFT_OUT = """
[[operations]]
include-name = "{name}"
enabled = false
"""
PAGED = """
[[operations]]
include-name = "{name}"
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "429", "503"]
"""


def fuzz(url: str, folder: Path, limits: str, *, seed: int, token: str = "") -> dict[str, Any]:
    """What schemathesis found in all its phases."""
    (folder / "limits.toml").write_text(limits)
    report = folder / "report.json"
    call = [sys.executable, "-m", "schemathesis.cli", "--config-file", "limits.toml", "run"]
    call += [f"{url}/openapi.json", "--continue-on-failure", "--report", "json"]
    call += ["--report-json-path", str(report), "--seed", str(seed), "-n", str(EXAMPLES)]
    call += ["-H", f"Authorization: Bearer {token}"] if token else []
    done = subprocess.run(call, cwd=folder, capture_output=True, text=True, check=False)
    assert report.exists(), done.stdout + done.stderr
    found: dict[str, Any] = json.loads(report.read_text())
    found["said"] = done.stdout
    return found


def limits_of(app: Service) -> str:
    paged = [
        f"{method.upper()} {path}"
        for path, operations in app.openapi()["paths"].items()
        for method, operation in operations.items()
        if any(each["name"] == "cursor" for each in operation.get("parameters", ()))
    ]
    left_out = [LEFT_OUT.format(name=name) for name in FAREWELLS]
    return "".join([LIMITS, *left_out, *(PAGED.format(name=name) for name in paged)])


@pytest.fixture
def url(environment: Mapping[str, str]) -> Iterator[str]:
    process, url = start(environment, subprocess.DEVNULL)
    with process:
        wait_for(f"{url}/readyz", 200)
        yield url
        process.kill()


@pytest.mark.case("V-01")
@pytest.mark.timeout(SECONDS)
async def test_the_service_answers_as_its_document_says(
    app: Service, url: str, tmp_path: Path, acme: TenantId
) -> None:
    cases = 0
    for seed in count(1):
        editor = Person(app, acme, Role.EDITOR)
        await editor.sign_in()
        found = fuzz(url, tmp_path, limits_of(app), seed=seed, token=editor.token)
        assert not found["failures"], found["said"]
        assert not found["errors"], found["said"]
        skipped = found["operations"]["total"] - found["operations"]["tested"]
        assert skipped in {0, len(FAREWELLS)}
        assert found["operations"]["tested"] > 0
        cases += found["test_cases"]["generated"]
        print(f"{cases} cases")  # noqa: T201 - the figure of the long run
        if cases >= CASES:
            break


@pytest.mark.case("V-01")
@pytest.mark.timeout(SECONDS)
def test_the_fuzz_finds_what_is_wrong(tmp_path: Path) -> None:
    port = free_port()
    call = [sys.executable, "-m", "uvicorn", "flawed:app", "--port", str(port)]
    with subprocess.Popen([*call, "--log-level", "critical"], cwd=HERE) as process:
        wait_for(f"http://127.0.0.1:{port}/openapi.json", 200)
        found = fuzz(f"http://127.0.0.1:{port}", tmp_path, LIMITS, seed=1)
        process.kill()
    codes = {failure["code"] for failure in found["failures"]}
    crashed, undocumented_status, undocumented_content = "ST101", "ST103", "ST105"
    assert {crashed, undocumented_status, undocumented_content} <= codes
