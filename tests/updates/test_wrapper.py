"""`make template-update` says what Copier alone does in silence."""

import re
import shutil
import subprocess
from pathlib import Path

from updates.changes import EVERYTHING
from updates.conftest import Generate
from updates.places import broken
from updates.projects import Project
from updates.repositories import NEXT, Template

APP = "src/service/chassis/app.py"
ANCHOR = "    configure_logs(settings)\n"


def _update(project: Project, version: str) -> subprocess.CompletedProcess[str]:
    return project.dev("template-update", "--vcs-ref", version)


def test_an_update_without_trouble_ends_well_and_says_what_is_next(
    template: Template, generated: Generate
) -> None:
    project, release = generated(NEXT), template.release(EVERYTHING)
    done = _update(project, release.version)
    assert done.returncode == 0, done.stderr
    assert "What to do next" in done.stdout
    assert "make ci" in done.stdout
    assert broken(release.traces, project) == []


def test_an_update_to_the_release_that_is_there_says_so(generated: Generate) -> None:
    project = generated(NEXT)
    done = _update(project, ":current:")
    assert (done.returncode, done.stdout) == (
        0,
        "Nothing to do: this is that release already.\n",
    ), done.stderr


def test_a_conflict_is_named_and_is_not_a_success(template: Template, generated: Generate) -> None:
    project = generated(NEXT)
    project.replace(APP, ANCHOR, f"{ANCHOR}    print(settings)\n")
    project.commit("Where it does not belong")
    done = _update(project, template.release(("chassis_near",)).version)
    assert done.returncode == 1, done.stderr
    assert re.search(rf"CONFLICT.*\n  {APP}\n", done.stdout)


def test_an_edited_file_that_the_template_removed_comes_back_by_the_line_it_prints(
    template: Template, generated: Generate
) -> None:
    project = generated(NEXT)
    project.append("docs/settings.md", "team-note\n")
    project.commit("Our note")
    done = _update(project, template.release(("removed",)).version)
    assert done.returncode == 1, done.stderr
    line = next(line for line in done.stdout.splitlines() if "git checkout" in line)
    subprocess.run(line, shell=True, cwd=project.folder, check=True, capture_output=True)  # noqa: S602
    assert project.read("docs/settings.md").endswith("team-note\n")


def test_a_file_that_nobody_had_edited_goes_without_a_word(
    template: Template, generated: Generate
) -> None:
    project = generated(NEXT)
    done = _update(project, template.release(("removed",)).version)
    assert done.returncode == 0, done.stderr
    assert "REMOVED" not in done.stdout
    assert not (project.folder / "docs/settings.md").exists()


def test_a_deleted_file_that_changed_in_the_template_is_mentioned(
    template: Template, generated: Generate
) -> None:
    project = generated(NEXT)
    project.git("rm", "--quiet", "Makefile")
    project.commit("We use something else")
    done = _update(project, template.release(("make_target", "example")).version)
    assert done.returncode == 0, done.stderr
    assert re.search(r"you had deleted or renamed it:\n  Makefile\n\n", done.stdout)


def test_a_piece_that_copier_could_not_place_needs_a_human(generated: Generate) -> None:
    project = generated(NEXT)
    project.write("docs/left.md.rej", "a piece\n")
    done = project.python(
        "from dev.template_report import report\n"
        "found = report({}, {})\nprint(found)\nraise SystemExit(found.needs_a_human)"
    )
    assert done.returncode == 1, done.stderr
    assert re.search(r"REJECTED.*\n  docs/left.md.rej\n", done.stdout)


def test_a_folder_of_a_larger_shallow_repository_is_updated_too(
    template: Template, generated: Generate, folder: Path
) -> None:
    whole = Project(folder / "whole")
    part = generated(NEXT).copy_to(whole.folder / "services" / "orders")
    shutil.rmtree(part.folder / ".git")
    whole.start_repository()
    part.append("docs/settings.md", "team-note\n")
    part.replace(APP, ANCHOR, f"{ANCHOR}    print(settings)\n")
    whole.commit("Ours")
    source = f"file://{whole.folder}"
    clone = Project(folder / "clone")
    whole.git("clone", "--quiet", "--depth=1", source, str(clone.folder))
    part = Project(clone.folder / "services" / "orders")
    clone.write("elsewhere", "not committed\n")
    done = _update(part, template.release(("chassis_near", "removed")).version)
    assert done.returncode == 1, done.stderr
    assert re.search(rf"CONFLICT.*\n  {APP}\n", done.stdout)
    assert re.search(r"git checkout \w+ -- docs/settings.md\n", done.stdout)
