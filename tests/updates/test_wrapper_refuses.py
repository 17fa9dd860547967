"""`make template-update` changes nothing when it cannot end well, and says what to do."""

import re
import shutil

import pytest

from updates.changes import EVERYTHING
from updates.conftest import Generate
from updates.projects import ANSWERS
from updates.repositories import NEXT, Template


def test_a_rejected_piece_of_an_earlier_update_stops_the_next_one(
    template: Template, generated: Generate
) -> None:
    """Git ignores it, and Copier would stumble over it half way."""
    project = generated(NEXT)
    project.write("docs/left.md.rej", "a piece\n")
    before = project.files()
    done = project.dev("template-update", "--vcs-ref", template.release(("chassis_far",)).version)
    assert done.returncode == 1
    assert "  docs/left.md.rej\n" in done.stderr
    assert project.files() == before


def test_work_that_is_not_committed_is_named_and_untouched(
    template: Template, generated: Generate
) -> None:
    project = generated(NEXT)
    project.write("product.mk", "half: ## Half\n")
    project.append("Makefile", "# changed\n")
    before = project.files()
    done = project.dev("template-update", "--vcs-ref", template.release(EVERYTHING).version)
    assert done.returncode == 1
    assert "  Makefile\n  product.mk\n" in done.stderr
    assert "git stash" in done.stderr
    assert "Traceback" not in done.stderr
    assert project.files() == before


@pytest.mark.parametrize(
    ("old", "new"), [("_commit: .*", "_commit: 99.0.0"), ("_src_path: .*", "_src_path: /gone")]
)
def test_a_release_that_is_gone_changes_nothing_and_says_what_to_do(
    old: str, new: str, generated: Generate
) -> None:
    project = generated(NEXT)
    project.write(ANSWERS, re.sub(old, new, project.read(ANSWERS)))
    project.commit("Somebody moved the template")
    done = project.dev("template-update")
    assert done.returncode == 1
    assert "cannot be rebuilt" in done.stderr
    assert "copier recopy" in done.stderr
    assert "Traceback" not in done.stderr
    assert project.status() == ""


def test_a_release_that_does_not_exist_changes_nothing(generated: Generate) -> None:
    project = generated(NEXT)
    done = project.dev("template-update", "--vcs-ref", "no-such-release")
    assert done.returncode == 1
    assert "The next release cannot be rendered" in done.stderr
    assert project.status() == ""


def test_a_folder_without_git_is_told_to_start_one(generated: Generate) -> None:
    project = generated(NEXT)
    shutil.rmtree(project.folder / ".git")
    done = project.dev("template-update")
    assert done.returncode == 1
    assert "git init" in done.stderr
