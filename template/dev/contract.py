"""`make contract` and `make contract-diff`: nothing that callers rely on breaks by accident."""

import re
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime

from fastapi import APIRouter

from dev import accepted, locks
from dev.accepted import Records, records
from dev.database import ROOT
from dev.differ import Break, breaks, explained
from dev.errors import DevError
from service.product import FEATURES

PLACES_SHOWN = 4
# A comparison in which nothing has come to its end yet.
NEVER = date.min


def write(breaking: str | None) -> int:
    """Rewrites the locks from the code; refuses what breaks a caller, unless it says why."""
    now, before = locks.served(), locks.locked()
    after = locks.joined(now[locks.CHASSIS], now[locks.PRODUCT])
    known = records()
    found = known.unaccepted(breaks(before, after, _today()), before=known)
    why = (breaking or "").strip()
    if found and not why:
        print(report(found))
        print('\nIf it must be: make contract breaking="why callers are not broken, or must be"')
        return 1
    if found:
        _accept(found, why)
    for path, lock in now.items():
        (ROOT / path).parent.mkdir(exist_ok=True)
        (ROOT / path).write_text(locks.written(lock), "utf-8")
    return 0


def _accept(found: list[Break], why: str) -> None:
    of_chassis = locks.served()[locks.CHASSIS]["paths"].keys()
    for path, ours in ((accepted.CHASSIS, True), (accepted.PRODUCT, False)):
        if mine := [each for each in found if (_path(each) in of_chassis) is ours]:
            accepted.accept(path, mine, why)


def _path(found: Break) -> str:
    return re.sub(r"^[A-Z]+ ", "", found.place).partition(" ")[0]


def diff(base: str) -> int:
    """What the locks break of those at a commit, and no new entry accepts."""
    commit = _forked_from(base)

    def then(path: str) -> str | None:
        shown = _git("show", f"{commit}:./{path}")
        return shown.stdout if shown.returncode == 0 else None

    found = breaks(locks.locked(then), locks.locked(), _today())
    if left := records().unaccepted(found, before=records(then)):
        print(report(left))
        print('\nNone of this is recorded as accepted: make contract breaking="why"')
        return 1
    print(f"Nothing that was promised at {base} is broken without a record.")
    return 0


def _forked_from(base: str) -> str:
    """What was added to the base afterwards is not removed here."""
    found = _git("rev-parse", "--verify", "--quiet", f"{base}^{{commit}}")
    if found.returncode:
        raise DevError(f"{base} is no commit here: fetch it, or make contract-diff base=<commit>")
    forked = _git("merge-base", "HEAD", base)
    return (forked if forked.returncode == 0 else found).stdout.strip()


def _git(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["git", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def stale(features: Sequence[APIRouter] = FEATURES) -> list[str]:
    """The locks that are not what the code serves, but for what may go without a word."""
    before, now = locks.locked(), locks.served(features)
    after = locks.joined(now[locks.CHASSIS], now[locks.PRODUCT])
    gone = _standing(breaks(before, after, NEVER), records())
    chassis = locks.joined(now[locks.CHASSIS], {})
    kept = locks.split(chassis, locks.without(before, gone))[locks.PRODUCT]
    said = {locks.CHASSIS: locks.on_disk(locks.CHASSIS), locks.PRODUCT: locks.written(kept)}
    return [path for path in now if said[path] != locks.written(now[path])]


def _standing(found: Iterable[Break], known: Records) -> set[str]:
    return {b.place for b in found if b.code == "path-removed" and b.record in known.standing}


def report(found: Iterable[Break]) -> str:
    """Each break once; what many routes share is said with the first of them."""
    together: defaultdict[tuple[str, str, str], list[Break]] = defaultdict(list)
    for each in found:
        inside = each.place.rpartition(" ")[2]
        together[each.code, each.what, inside if inside[0] in ".[" else ""].append(each)
    return "\n\n".join(_told(group) for group in together.values())


def _told(group: list[Break]) -> str:
    others = [each.place for each in group[1:]]
    more = len(others) - PLACES_SHOWN
    tail = [f"and {more} more"] if more > 0 else []
    return "\n  also: ".join([explained(group[0]), *others[:PLACES_SHOWN], *tail])


def _today() -> date:
    return datetime.now(UTC).date()
