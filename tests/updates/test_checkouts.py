"""Where a team keeps a service makes no difference: folders, clones, ends of lines, own files."""

import subprocess
from pathlib import Path

import copier
import pytest
from copier.errors import UserMessageError

from updates import edits
from updates.changes import EVERYTHING
from updates.conftest import Generate
from updates.places import broken
from updates.projects import Project, git
from updates.repositories import NEXT, Template

CONTEXTS = pytest.mark.parametrize("context", [3, 100_000])


def _updated(project: Project, template: Template, context: int) -> list[str]:
    release = template.release(EVERYTHING)
    theirs = edits.apply(edits.COMPATIBLE, project)
    project.update(release.version, context=context)
    return [*broken([*theirs, *release.traces], project), *project.stumbled()]


def _clone(project: Project, folder: Path, *options: str) -> Project:
    source = f"file://{project.folder}"
    subprocess.run(["git", "clone", "--quiet", *options, source, str(folder)], check=True)
    return Project(folder)


@CONTEXTS
def test_a_folder_of_a_larger_repository(
    context: int, template: Template, generated: Generate, folder: Path
) -> None:
    whole = Project(folder / "whole")
    part = generated(NEXT).copy_to(whole.folder / "services" / "orders")
    part.git("config", "--unset", "core.bare")
    subprocess.run(["rm", "-rf", str(part.folder / ".git")], check=True)
    whole.start_repository()
    whole.write("services/other/README.md", "not committed, and not ours\n")
    assert _updated(part, template, context) == []


@CONTEXTS
def test_a_shallow_clone(
    context: int, template: Template, generated: Generate, folder: Path
) -> None:
    original = generated(NEXT)
    original.commit("Something that the clone has no parent of")
    clone = _clone(original, folder / "shallow", "--depth=1")
    assert clone.git("rev-parse", "--is-shallow-repository").strip() == "true"
    assert _updated(clone, template, context) == []


@CONTEXTS
def test_a_checkout_with_the_line_ends_of_windows(
    context: int, template: Template, generated: Generate, folder: Path
) -> None:
    clone = _clone(generated(NEXT), folder / "windows", "--config=core.autocrlf=true")
    _as_on_windows(clone, "src/service/main.py", "pyproject.toml", "Makefile")
    clone.commit("An editor of Windows saved these")
    assert _updated(clone, template, context) == []


def _as_on_windows(project: Project, *paths: str) -> None:
    for path in paths:
        unix = (project.folder / path).read_bytes()
        (project.folder / path).write_bytes(unix.replace(b"\n", b"\r\n"))
        assert b"\r\n" in (project.folder / path).read_bytes()


def test_the_large_context_needs_the_line_ends_that_we_ship(
    template: Template, generated: Generate, folder: Path
) -> None:
    """Without .gitattributes the same edit conflicts: that is why the template has it."""
    original = generated(NEXT)
    (original.folder / ".gitattributes").unlink()
    original.commit("No attributes")
    clone = _clone(original, folder / "windows", "--config=core.autocrlf=true")
    assert b"\r\n" in (clone.folder / "Makefile").read_bytes()
    assert _updated(clone, template, 100_000) != []


def test_work_that_is_not_committed_stops_the_update(
    template: Template, generated: Generate
) -> None:
    project = generated(NEXT)
    project.write("product.mk", "half: ## Half\n")
    with pytest.raises(UserMessageError, match="dirty"):
        project.update(template.release(EVERYTHING).version)
    assert project.status() == "?? product.mk\n"


def test_a_file_that_git_ignores_survives_byte_for_byte(
    template: Template, generated: Generate
) -> None:
    project, secret = generated(NEXT), "SERVICE_DEBUG=true\r\nTEAM=1\n"
    (project.folder / ".env").write_bytes(secret.encode())
    project.update(template.release(EVERYTHING).version)
    assert (project.folder / ".env").read_bytes() == secret.encode()


def test_the_template_ships_no_file_that_its_own_rules_ignore(generated: Generate) -> None:
    project = generated(NEXT)
    project.git("rm", "-r", "--quiet", "--cached", ".")
    assert git(project.folder, "ls-files", "--others", "--ignored", "--exclude-standard") == ""


def test_a_seam_that_was_deleted_comes_back(template: Template, generated: Generate) -> None:
    project = generated(NEXT)
    project.git("rm", "--quiet", "tests/product/conftest.py")
    project.commit("Not knowing that the chassis needs it")
    project.update(template.release(EVERYTHING).version)
    assert (project.folder / "tests/product/conftest.py").is_file()


def test_names_are_fit_for_every_file_system(template: Template, folder: Path) -> None:
    copier.run_copy(template.address, folder / "s", vcs_ref=NEXT, defaults=True, quiet=True)
    paths = [path.relative_to(folder / "s").as_posix() for path in (folder / "s").rglob("*")]
    assert [path for path in paths if len(path) > 120 or set(path) & set('"<>:|?*\\')] == []
    assert len(paths) == len({path.lower() for path in paths})
