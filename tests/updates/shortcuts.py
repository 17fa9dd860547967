"""Copier does some things thousands of times per update; here it does them once.

What it does with the files is left alone: `make template-update` runs without any of this, in
test_wrapper.py.
"""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
import pytest
from copier import _template, _vcs
from copier._main import Worker

from updates.projects import ANSWERS


def take(patch: pytest.MonkeyPatch, clones: Path) -> None:
    patch.setattr(jinja2.Environment, "compile", _once_per_source(jinja2.Environment.compile))
    patch.setattr(Worker, "_render_string", _only_templates(Worker._render_string))
    patch.setattr(_template, "clone", _once_per_commit(_vcs.clone, clones))
    # This template does not name its file of answers otherwise, nor by a question.
    patch.setattr(Worker, "answers_relpath", Path(ANSWERS))
    # Where git sees executable bits by itself, Copier asks once per file and does nothing.
    patch.setattr(Worker, "_sync_git_index_executable_bit", lambda *_: None)


def _once_per_source(compile_: Callable[..., Any]) -> Callable[..., Any]:
    compiled: dict[Any, Any] = {}

    def once(self: jinja2.Environment, source: Any, *args: Any, **options: Any) -> Any:
        key = (source, args, *options.items())
        if key not in compiled:
            compiled[key] = compile_(self, source, *args, **options)
        return compiled[key]

    return once


def _only_templates(render: Callable[..., str]) -> Callable[..., str]:
    """Each part of each path is rendered, three times per update; nearly all are plain text."""

    def rendered(self: Worker, string: str, *args: Any, **options: Any) -> str:
        return render(self, string, *args, **options) if "{" in string else string

    return rendered


def _once_per_commit(clone: Callable[..., str], clones: Path) -> Callable[..., str]:
    """The template is cloned five times per update, to be read."""

    def cloned(url: str, ref: str = "HEAD", location: str | None = None) -> str:
        command = ["git", "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}"]
        found = subprocess.run(command, cwd=url, capture_output=True, text=True, check=False)
        if found.returncode or ref == "HEAD":
            return clone(url, ref, location)
        # By its tag too: from it Copier learns the version.
        place = clones / Path(url).name / f"{ref}-{found.stdout.strip()}"
        if not place.exists():
            place.mkdir(parents=True)
            clone(url, ref, str(place))
        return str(place)

    return cloned
