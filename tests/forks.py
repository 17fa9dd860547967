"""Runs pytest many times in one service, each in a fork that has its imports behind it.

Started in the service's folder; reads a line of JSON for each run, and answers with one.
"""

import json
import os
import sys
from importlib import import_module
from pathlib import Path

import pytest

# What a fork has imported already cannot be rewritten; nothing here asserts.
ALREADY_IMPORTED = ("-W", "ignore::pytest.PytestAssertRewriteWarning")


def import_what_others_made() -> None:
    """The service's own modules are forgotten again: each run may find them changed."""
    for name in ("conftest", "service.main"):
        import_module(name)
    here = str(Path.cwd())
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(here):
            del sys.modules[name]


def run(arguments: list[str], environ: dict[str, str], said: str) -> int:
    child = os.fork()
    if child == 0:
        os.environ.update(environ)
        with Path(said).open("wb") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        os._exit(pytest.main([*ALREADY_IMPORTED, *arguments]))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    import_what_others_made()
    for line in sys.stdin:
        sys.stdout.write(f"{run(**json.loads(line))}\n")
        sys.stdout.flush()
