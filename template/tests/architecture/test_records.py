"""Every event that is logged or put on record is on the page, and nothing is logged elsewhere."""

import ast
import re
from collections.abc import Iterator

from architecture.chassis_code import MODULES, ROOT, calls, imports

PAGE = (ROOT / "docs" / "records.md").read_text("utf-8")
LISTED = set(re.findall(r"^\| `([\w.]+)` \|", PAGE, re.MULTILINE))
LOGGING = frozenset({"log", "log_failure"})
RECORDING = frozenset({"NewPassword", "_record", "record"})
# The one module that writes lines, and the commands that tell an operator something.
WRITERS = dict.fromkeys(("telemetry.logs", "tenants", "jobs_command"), "sys.stdout.write")
WRITING = ("logging.", "print", "sys.stderr.", "sys.stdout.", "warnings.warn")


ACTION = re.compile(r"[a-z_]+\.[a-z_]+")


def events(tree: ast.Module) -> Iterator[str]:
    """`noun_verb` of the log, `noun.verb` of the record, said at once or chosen from a table."""
    for name, call in calls(tree):
        if name in LOGGING:
            yield from _constants(call.args[:1])
        elif name.rpartition(".")[2] in RECORDING:
            yield from filter(ACTION.fullmatch, _constants(call.args))
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            chosen = [*filter(ACTION.fullmatch, _constants(node.values))]
            yield from chosen if len(chosen) == len(node.values) else ()


def _constants(nodes: list[ast.expr]) -> Iterator[str]:
    return (str(node.value) for node in nodes if isinstance(node, ast.Constant))


def past_the_log(module: str, tree: ast.Module) -> list[str]:
    known = (WRITERS.get(module, ""), "sys.stdout.flush" if module in WRITERS else "")
    written = [name for name, _ in calls(tree) if name.startswith(WRITING) and name not in known]
    imported = [name for name in imports(tree) if name.split(".")[0] in {"logging", "structlog"}]
    return written + (imported if module not in WRITERS else [])


def test_every_event_of_the_code_is_on_the_page() -> None:
    found = {event for tree in MODULES.values() for event in events(tree)}
    assert found == LISTED, "docs/records.md lists them"
    assert len(found) > 35
    assert {"request_served", "sign_in.failed", "password.reset"} <= found


def test_an_event_that_is_new_is_noticed() -> None:
    made = ast.parse(
        "log('door_opened', by=who)\nrecord(session, actor, 'door.opened')\n"
        "denials.record(caller, 'door.shut')\nACTIONS = {Locked: 'door.locked'}"
    )
    assert set(events(made)) == {"door_opened", "door.opened", "door.shut", "door.locked"}


def test_nothing_is_logged_past_the_log() -> None:
    assert {m: past for m, tree in MODULES.items() if (past := past_the_log(m, tree))} == {}
    elsewhere = ast.parse("import logging\nlogging.warning('x')\nprint('y')")
    assert past_the_log("contract.new", elsewhere) == ["logging.warning", "print", "logging"]
