"""The reference reducer does what the vectors say; so does each client's own."""

import json
from pathlib import Path
from typing import Any

import pytest

from clients.run_view import RunView, step

VECTORS = json.loads(Path("clients/vectors/run_view.json").read_text("utf-8"))


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_a_view_is_what_the_vector_says(vector: dict[str, Any]) -> None:
    view = RunView()
    for event in vector["events"]:
        view = step(view, event)
    assert {name: getattr(view, name) for name in vector["view"]} == vector["view"]
