"""Loaded by schemathesis: who asks in each case, and what is sent. What must hold: `checks.py`."""

import atexit
from collections import Counter
from contextlib import ExitStack
from typing import Any

import schemathesis
from anyio.from_thread import start_blocking_portal
from chassis.accounts.people import somewhere
from chassis.fuzz import checks  # noqa: F401 - registers them
from chassis.fuzz.genuine import GENUINE
from chassis.fuzz.stage import staged

NOBODY_YET = "Bearer nobody-yet"

closing = ExitStack()
atexit.register(closing.close)
portal = closing.enter_context(start_blocking_portal())
stage = closing.enter_context(portal.wrap_async_context_manager(staged()))
seen: Counter[str] = Counter()


@schemathesis.auth(refresh_interval=None)
class NewPerson:
    """Somebody else in each case, who signs in right before it is sent."""

    def get(self, _case: Any, _context: Any) -> str:
        return NOBODY_YET

    def set(self, case: Any, credential: str, _context: Any) -> None:
        case.headers = {**(case.headers or {}), "Authorization": credential}


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
    public = not case.operation.definition.raw["security"]
    if not public and case.headers.get("Authorization") != NOBODY_YET:
        return
    token = portal.call(stage.next_person)
    # A new address for each stranger, because strangers are counted by theirs.
    own = {"X-Forwarded-For": somewhere()} if public else {"Authorization": f"Bearer {token}"}
    case.headers = {**(case.headers or {}), **own}
    if case.meta.generation.mode.is_positive:
        seen[case.operation.label] += 1
        if seen[case.operation.label] % 2:
            make_genuine(case)


def make_genuine(case: Any) -> None:
    """Every second time, with what only the right person has."""
    if needed := GENUINE.get(case.operation.label):
        genuine = portal.call(needed, stage)
        for part in ("path_parameters", "query", "headers"):
            setattr(case, part, {**(getattr(case, part) or {}), **getattr(genuine, part)})
        if genuine.body:
            case.body = {**case.body, **genuine.body}
    if "if-match" in {name.lower() for name in case.headers}:
        shown = portal.call(stage.version_at, case.formatted_path)
        case.headers = {**case.headers, **shown}
