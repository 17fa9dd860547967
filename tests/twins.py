"""Every Jinja file has a plain twin beside it: what it renders to with the default answers.

The twins make `template/` a project that lints, types and tests in place; Copier ignores them.
"""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rendering import TEMPLATE, render, snapshot

SUFFIX = ".jinja"
# In place there is no answers file, no owner and no README of a service.
ALONE = {"{{ _copier_conf.answers_file }}.jinja", "README.md.jinja", "CODEOWNERS.jinja"}


def jinja_files() -> list[Path]:
    return sorted(TEMPLATE.rglob(f"*{SUFFIX}"))


def twins() -> Iterator[tuple[Path, Path]]:
    """Where the twin is, and where the same file is in a render."""
    for file in jinja_files():
        if file.name not in ALONE:
            twin = file.with_suffix("")
            yield twin, twin.relative_to(TEMPLATE)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = render(snapshot(Path(folder) / "source"), Path(folder) / "service", {})
        for twin, place in twins():
            shutil.copy(made / place, twin)


if __name__ == "__main__":
    main()
