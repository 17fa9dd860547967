"""Loaded by schemathesis: what must hold of every answer, beyond what it looks at by itself."""

import json
import os
from pathlib import Path
from typing import Any

import schemathesis

# Set by the test: where each request that was sent gets a line.
SENT = "FUZZ_SENT"
PLACES = ("body.", "query.", "path.", "header.")
MEMBERS = {"type", "title", "status", "code", "message", "detail", "trace_id"}


@schemathesis.hook
def after_call(_context: Any, case: Any, response: Any) -> None:
    """One line for each request: of what kind it was, and whether its answer is documented."""
    documented = case.operation.definition.raw["responses"].keys()
    if case.method.upper() != case.operation.method.upper():
        documented = {"405"}
    line = {
        "operation": case.operation.label,
        "phase": case.meta.phase.name.value,
        "mode": case.meta.generation.mode.value,
        "status": response.status_code,
        "documented": str(response.status_code) in documented,
        "problem": is_problem(response),
    }
    with Path(os.environ[SENT]).open("a", encoding="utf-8") as sent:
        sent.write(json.dumps(line) + "\n")


def is_problem(response: Any) -> bool:
    if response.headers.get("content-type") != ["application/problem+json"]:
        return False
    said = response.json()
    return bool(said.keys() - {"fields"} == MEMBERS and said["status"] == response.status_code)


@schemathesis.check
def what_the_document_allows_is_understood(_context: Any, response: Any, case: Any) -> None:
    """A secret may be wrong and a cursor nobody's; but nothing may be refused for its shape."""
    if response.status_code == 422 and case.meta.generation.mode.is_positive:
        named = [each["field"] for each in response.json().get("fields", ())]
        shape = [name for name in named if name.startswith(PLACES)]
        assert not shape, f"refused for its shape: {shape}"
