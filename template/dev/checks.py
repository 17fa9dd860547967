"""Checks that need more than one line of a Makefile."""

import os
import subprocess
import sys
from pathlib import Path

from dev.database import ROOT

CONTRACTS = (".importlinter", "product.importlinter")
UNREACHABLE = ("dns", "connect", "timed out", "unreachable", "error sending request", "resolve")


def tool(name: str) -> str:
    """A command of this environment, also where its folder is not on the PATH."""
    return str(Path(sys.executable).parent / name)


def imports() -> int:
    """The template's contracts, then yours if you wrote any."""
    failed = 0
    for contracts in CONTRACTS:
        if (ROOT / contracts).exists():
            call = [tool("lint-imports"), "--config", contracts, "--no-logo"]
            environ = {**os.environ, "PYTHONPATH": "src"}
            failed |= subprocess.call(call, cwd=ROOT, env=environ)
    return failed


def workflows() -> int:
    files = [str(file) for file in sorted((ROOT / ".github" / "workflows").glob("*.yml"))]
    if not files:
        return 0
    failed = subprocess.call([tool("actionlint"), *files], cwd=ROOT)
    return failed | subprocess.call([tool("zizmor"), "--offline", "--quiet", *files], cwd=ROOT)


def audit() -> int:
    """Known vulnerabilities. The pipeline runs `make audit`, which fails where this cannot run."""
    uv = next((str(p) for p in [Path(".tools/bin/uv")] if p.exists()), "uv")
    done = subprocess.run([uv, "audit"], cwd=ROOT, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    if done.returncode and any(word in said.lower() for word in UNREACHABLE):
        print("NOT RUN: audit (the advisory database cannot be reached from here)")
        return 0
    print(said, end="")
    return done.returncode
