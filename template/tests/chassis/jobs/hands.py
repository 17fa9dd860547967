"""Workers as processes: one that lives, or two that are killed, one after the other.

`python -m chassis.jobs.hands once|habits|mortal [<seconds each>]`
"""

import asyncio
import os
import signal
import sys
import time

from chassis.jobs.chores import DECLARED, WITH_HABITS

from service.chassis.application import job_queue
from service.chassis.application.jobs import Declared
from service.chassis.intelligence.gateway import LocalModel
from service.chassis.settings import load_settings
from service.chassis.worker import worked

# Loaded before the fork, so that a short life is not spent on it.
assert job_queue


def live(declared: Declared) -> None:
    asyncio.run(worked(load_settings(), declared, LocalModel()))


def one_after_the_other(seconds: float) -> None:
    """Two at a time, and every so often the older is killed, until somebody says stop."""
    stopped, alive, killed = [], [born()], 0
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    while not stopped or alive:
        if not stopped:
            alive.append(born())
            time.sleep(seconds)
        os.kill(oldest := alive.pop(0), signal.SIGKILL)
        os.waitpid(oldest, 0)
        killed += 1
    sys.stdout.write(f"\nkilled {killed}\n")


def born() -> int:
    if (child := os.fork()) == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        live(DECLARED)
        os._exit(0)
    return child


if __name__ == "__main__":
    how, *each = sys.argv[1:]
    if how == "mortal":
        one_after_the_other(float(each[0]))
    else:
        live(WITH_HABITS if how == "habits" else DECLARED)
