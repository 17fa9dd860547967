"""The documentation is true: generated pages are current, links lead somewhere, commands run."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from reference import PAGES, pages
from rendering import ROOT, TEMPLATE

FOLDERS = (ROOT / "docs", TEMPLATE / "docs")
DOCUMENTS = [
    *sorted(file for top in FOLDERS for file in top.rglob("*.md") if file.parent != PAGES),
    *(ROOT / "README.md", ROOT / "CHANGELOG.md", TEMPLATE / "ARCHITECTURE.md"),
]
BLOCK = re.compile(r"^```(?:bash|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
# Run by a test of their own, or running this one.
ELSEWHERE = {
    "make demo": "tests/test_demo.py",
    "make test": ".ci/run",
    "make dev": "tests/test_demo.py",
}


@pytest.mark.parametrize("file", pages(), ids=lambda file: file.name)
def test_the_reference_is_written_from_the_code(file: Path) -> None:
    assert file.read_text("utf-8") == pages()[file], "run: make reference"


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_link_leads_somewhere(file: Path) -> None:
    text = re.sub(r"```.*?```", "", file.read_text("utf-8"), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", text)
    broken = [
        link
        for link in links
        if not link.startswith("https://") and not (file.parent / link).exists()
    ]
    assert broken == []


def blocks(file: Path) -> Iterator[str]:
    yield from BLOCK.findall(file.read_text("utf-8"))


def commands(block: str) -> list[str]:
    lines = (re.sub(r"^\$ ", "", line) for line in block.splitlines())
    bare = (re.sub(r"\s+#.*", "", line).strip() for line in lines)
    return [line for line in bare if line and line not in ELSEWHERE]


WITH_COMMANDS = [file for file in DOCUMENTS if any(commands(block) for block in blocks(file))]


@pytest.mark.full
@pytest.mark.parametrize("file", WITH_COMMANDS, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_command_runs(released: Path, tmp_path: Path, file: Path) -> None:
    """All blocks of a page, in order, in one shell, in an empty folder."""
    script = "\n".join(line for block in blocks(file) for line in commands(block))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        env={**shell_environment(tmp_path), "TEMPLATE": str(released)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"


def shell_environment(home: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in {"VIRTUAL_ENV", "PYTHONPATH"}}
    cache = os.environ.get("UV_CACHE_DIR") or str(Path.home() / ".cache" / "uv")
    named = {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "Reader"), ("EMAIL", "reader@example.com"))
    }
    return {**kept, **named, "UV_CACHE_DIR": cache, "HOME": str(home)}


def test_what_runs_elsewhere_really_does() -> None:
    for command, place in ELSEWHERE.items():
        assert command.split()[1] in (ROOT / place).read_text("utf-8"), (command, place)


def test_the_readme_names_the_two_commands_and_ci_runs_the_second() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert "make demo" in readme
    assert (ROOT / ".ci/run").read_text("utf-8").rstrip().endswith("make test")
    assert "make test" in readme


def test_every_make_target_is_declared_phony_and_described() -> None:
    for makefile in (ROOT / "Makefile", TEMPLATE / "Makefile"):
        text = makefile.read_text("utf-8").replace("\\\n", " ")
        phony = set(re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)[0].split())
        described = set(re.findall(r"^([a-z-]+):.*## ", text, re.MULTILINE))
        assert phony - described <= {"audit-if-reachable"}
        assert described - phony == set()
