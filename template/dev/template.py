"""Keeping this service on its template; every module is imported before an update replaces it."""

import json
import subprocess
import sys
from typing import Any

from copier import run_update
from copier.errors import UnsafeTemplateError

from dev import template_git
from dev.template_errors import MigrationNeedsTrust, ReleaseOutOfReach, UpdateStopped
from dev.template_git import ROOT
from dev.template_ownership import Ownership
from dev.template_render import (
    COPIER_FAILURES,
    Rendered,
    chosen,
    next_release,
    recorded_release,
    same_text,
)
from dev.template_report import report

# With a file's every line as context, an edit cannot land in a block that only looks like its own.
WHOLE_FILE = 100_000
NEWER_EXISTS = 2


def update(vcs_ref: str | None = None) -> int:
    """Take a release, and say what needs a human: Copier itself exits 0 on conflicts."""
    template_git.refuse_dirty()
    old, new = recorded_release(), next_release(vcs_ref)
    _take(vcs_ref)
    found = report(old, new)
    print(found if template_git.changed() else "Nothing to do: this is that release already.")
    return 1 if found.needs_a_human else 0


def check() -> int:
    """Whether a newer release exists: 0 says no, 2 says yes."""
    command = [sys.executable, "-m", "copier", "check-update", "--output-format", "json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ReleaseOutOfReach(done.stderr.strip())
    versions: dict[str, Any] = json.loads(done.stdout)
    if not versions["update_available"]:
        print(f"Up to date: {versions['current_version']}.")
        return 0
    print("{current_version} is behind {latest_version}: make template-update".format(**versions))
    return NEWER_EXISTS


def drift() -> int:
    """List what the template owns and somebody changed: the next update may stumble there."""
    differing = _differences(recorded_release())
    for path, how in differing.items():
        print(f"{how:8} {path}")
    print(f"{len(differing)} template-owned files differ from the recorded release.")
    return 1 if differing else 0


def _take(vcs_ref: str | None) -> None:
    try:
        run_update(
            ROOT,
            vcs_ref=chosen(vcs_ref),
            defaults=True,
            overwrite=True,
            quiet=True,
            context_lines=WHOLE_FILE,
        )
    except UnsafeTemplateError as error:
        raise MigrationNeedsTrust(vcs_ref) from error
    except COPIER_FAILURES as error:
        raise UpdateStopped(error, template_git.changed()) from error


def _differences(rendered: Rendered) -> dict[str, str]:
    here, owners = set(template_git.project_files()), Ownership(ROOT)
    everything = sorted(here | rendered.keys())
    found = {
        path: _difference(path, rendered, here)
        for path in everything
        if owners.of(path) == "chassis"
    }
    return {path: how for path, how in found.items() if how}


def _difference(path: str, rendered: Rendered, here: set[str]) -> str:
    if path not in here:
        return "missing"
    if path not in rendered:
        return "added"
    return "" if same_text(rendered[path], (ROOT / path).read_bytes()) else "changed"
