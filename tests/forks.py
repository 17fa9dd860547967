"""Runs pytest many times in one service, each in a fork that has its imports behind it.

Started in the service's folder; reads a line of JSON for each run, and answers with one.
"""

import gc
import json
import os
import signal
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from threading import Timer
from types import ModuleType

import pytest

# What a fork has imported already cannot be rewritten; nothing here asserts.
ALREADY_IMPORTED = ("-W", "ignore::pytest.PytestAssertRewriteWarning")


# Longer than any test takes; what does not heed the limit of pytest ends here.
AT_MOST = 180.0


def _lies_in(folder: str, module: ModuleType) -> bool:
    """A folder without `__init__.py` is a module too, which has no file."""
    places = [getattr(module, "__file__", None) or "", *getattr(module, "__path__", ())]
    return any(str(place).startswith(folder) for place in places)


def import_what_others_made() -> None:
    """The service's own modules are forgotten again: each run may find them changed."""
    here = str(Path.cwd())
    # Else `conftest` is the one beside this file.
    sys.path[:] = [place for place in sys.path if place != str(Path(__file__).parent)]
    pytest.main(["--collect-only", "-qq", "-p", "no:cacheprovider", "tests"])
    for name in [name for name, module in sys.modules.items() if _lies_in(here, module)]:
        del sys.modules[name]
    # What stays is not looked through again by each run, nor copied to it.
    gc.collect()
    gc.freeze()


def run(arguments: list[str], environ: dict[str, str], said: str) -> int:
    child = os.fork()
    if child == 0:
        os.setpgrp()
        os.environ.update(environ)
        with Path(said).open("wb") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        os._exit(pytest.main([*ALREADY_IMPORTED, *arguments]))
    limit = Timer(AT_MOST, os.killpg, (child, signal.SIGKILL))
    limit.start()
    try:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    finally:
        limit.cancel()


if __name__ == "__main__":
    with redirect_stdout(StringIO()):
        import_what_others_made()
    for line in sys.stdin:
        sys.stdout.write(f"{run(**json.loads(line))}\n")
        sys.stdout.flush()
