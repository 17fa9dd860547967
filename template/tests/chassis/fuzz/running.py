"""One run of schemathesis, and what its requests and answers add up to."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chassis.fuzz.checks import SENT

from serving import ROOT

LIMITS = """
hooks = "chassis.fuzz.{hooks}"
max-redirects = 0
[phases.coverage]
enabled = {thorough}
[generation]
allow-x00 = false
[checks.positive_data_acceptance]
expected-statuses = {statuses}
[checks.negative_data_rejection]
expected-statuses = ["4xx"]
[checks.missing_required_header]
expected-statuses = ["400", "401", "422", "428"]
"""
OPERATION = """
[[operations]]
include-name = "{name}"
checks.positive_data_acceptance.expected-statuses = {statuses}
"""
# Whose row it is, and which version or state it has, no document can say.
EXPECTED = "2xx", "404", "409", "412"
# Nor which secret is right, which cursor was signed, and who came from where.
UNKNOWABLE: Mapping[str, Sequence[str]] = {
    "GET /v1/sign-in/{tenant_id}/{provider}": ("303",),
    "GET /v1/sign-in/callback/{key}": ("303", "400"),
    "POST /v1/account/passkeys": ("422",),
    "POST /v1/account/totp/confirm": ("422",),
    "POST /v1/accounts/accept-invitation": ("422",),
    "POST /v1/accounts/reset": ("422",),
    "POST /v1/accounts/verify-email": ("422",),
    "POST /v1/browser/refresh": ("401", "403"),
    # Three letters a day for who is invited.
    "POST /v1/members/{member_id}/invitation-letter": ("429",),
    "POST /v1/sessions/refresh": ("401",),
    "POST /v1/sign-in/passkey": ("401", "422"),
    "POST /v1/sign-in/password": ("401",),
    "PUT /v1/account/password": ("422",),
}
SHUT = {401, 403, 405, 429}

Sent = Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Fuzz:
    """`examples` are of each operation; only a thorough one goes through all the edge cases."""

    folder: Path
    examples: int
    thorough: bool

    def run(
        self, url: str, hooks: str, special: Mapping[str, Sequence[str]], seed: int, **more: str
    ) -> dict[str, Any]:
        """What schemathesis found in all its phases."""
        (self.folder / "limits.toml").write_text(self._limits(hooks, special))
        report, path = self.folder / "report.json", [ROOT / part for part in ("src", ".", "tests")]
        call = [sys.executable, "-m", "schemathesis.cli", "--config-file", "limits.toml", "run"]
        call += [f"{url}/openapi.json", "--continue-on-failure", "--report", "json"]
        call += ["--report-json-path", str(report), "--seed", str(seed), "-n", str(self.examples)]
        environment = {"PATH": os.environ["PATH"], SENT: str(self.folder / "sent.jsonl"), **more}
        environment["PYTHONPATH"] = os.pathsep.join(map(str, path))
        done = subprocess.run(
            call, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert report.exists(), done.stdout + done.stderr
        lines = done.stdout.splitlines()
        said = "\n".join(line for line in lines if not line.startswith("{"))
        return {**json.loads(report.read_text()), "said": said}

    def _limits(self, hooks: str, special: Mapping[str, Sequence[str]]) -> str:
        expected = json.dumps(EXPECTED)
        thorough = json.dumps(self.thorough)
        general = LIMITS.format(hooks=hooks, thorough=thorough, statuses=expected)
        named = {name: json.dumps([*EXPECTED, *also]) for name, also in special.items()}
        own = [OPERATION.format(name=name, statuses=each) for name, each in named.items()]
        return general + "".join(own)

    def sent(self) -> Sent:
        lines = (self.folder / "sent.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]


def unknowable(document: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    paged = [
        f"{method.upper()} {path}"
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if any(each["name"] == "cursor" for each in operation.get("parameters", ()))
    ]
    return {**dict.fromkeys(paged, ("400",)), **UNKNOWABLE}


def summary(sent: Sent) -> str:
    kinds = Counter(f"{line['phase']} {line['mode']}" for line in sent)
    statuses = Counter(f"{str(line['status'])[0]}xx" for line in sent)
    operations = len({line["operation"] for line in sent})
    return f"{len(sent)} cases of {operations} operations: {dict(kinds)}, {dict(statuses)}"


def undocumented(sent: Sent) -> list[str]:
    return [f"{line['operation']}: {line['status']}" for line in sent if not line["documented"]]


def no_problems(sent: Sent) -> list[str]:
    refused = [line for line in sent if line["status"] >= 400]
    return [f"{line['operation']}: {line['status']}" for line in refused if not line["problem"]]


def unreached(sent: Sent, chassis: set[str]) -> list[str]:
    """What never succeeded in the chassis, and what let nobody in in the product."""
    answers: dict[str, set[int]] = {}
    for line in sent:
        answers.setdefault(line["operation"], set()).add(line["status"])
    return [
        name
        for name, statuses in answers.items()
        if not (any(status < 400 for status in statuses) if name in chassis else statuses - SHUT)
    ]
