"""What to show of a run: a pure step from one view to the next, for each event of its stream.

    view = RunView()
    for event in events:            # as parsed from `data:`
        view = step(view, event)
    resume with `Last-Event-ID: {view.heard}` while not view.ended

`clients/vectors` holds what every implementation of it must do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

Event = Mapping[str, Any]
ENDS = frozenset({"final", "error"})


@dataclass(frozen=True)
class RunView:
    state: str = "pending"
    text: str = ""
    # The last event that counted.
    heard: int = 0
    # An event is missing before the one that came: resume, it will be sent again.
    gap: bool = False
    run: Event | None = None
    problem: Event | None = None

    @property
    def ended(self) -> bool:
        return self.run is not None


def step(view: RunView, event: Event) -> RunView:
    number = event["number"]
    if number is None:
        return replace(view, problem=event["problem"])
    if view.ended or number <= view.heard:
        return view
    if event["event"] in ENDS:
        return _ended(view, event)
    if number > view.heard + 1:
        return replace(view, gap=True)
    return _grown(view, event)


def _ended(view: RunView, event: Event) -> RunView:
    run, number = event["run"], event["number"]
    if event["event"] == "error":
        return RunView("failed", view.text, number, run=run, problem=event["problem"])
    # The whole answer: whatever was missed before no longer counts.
    text = run["answer"]["text"] if run["answer"] else ""
    return RunView(run["state"], text, number, run=run)


def _grown(view: RunView, event: Event) -> RunView:
    match event["event"]:
        case "state":
            return RunView(event["state"], view.text, event["number"])
        case "delta":
            return RunView("streaming", view.text + event["text"], event["number"])
        case _:
            # Of a later version: what it cannot show does not stop what it can.
            return replace(view, heard=event["number"])
