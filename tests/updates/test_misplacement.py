"""Three lines of context put an edit into a block that only looks like its own; ours do not."""

import pytest

from updates.conftest import Generate
from updates.places import Token, broken, in_yaml
from updates.projects import Project
from updates.repositories import NEXT, Template

FILE = ".strongback/blocks.yml"
BEFORE, AFTER = "1500.0.0", "1500.1.0"
BLOCK = "{name}:\n  image: a\n  restart: b\n  log: c\n  user: d\n  memory: 1\n  x: e\n  y: f\n"
EDIT = Token(FILE, "memory: 4", in_yaml(("database", "memory"), 4))


@pytest.fixture(scope="session")
def look_alikes(template: Template) -> Template:
    """A release with two blocks, and one that puts a third between them."""
    template.project.git("checkout", "--quiet", "--detach", NEXT)
    for version, names in ((BEFORE, "service database"), (AFTER, "service cache database")):
        blocks = (BLOCK.format(name=name) for name in names.split())
        template.project.write(f"template/{FILE}", "".join(blocks))
        template.tag(version)
    return template


@pytest.fixture
def tuned(look_alikes: Template, generated: Generate) -> Project:
    project = generated(BEFORE)
    start, _, end = project.read(FILE).rpartition("memory: 1")
    project.write(FILE, f"{start}memory: 4{end}")
    project.commit("The database needs more")
    assert broken([EDIT], project) == []
    return project


def test_the_wrapper_keeps_the_edit_in_its_block(tuned: Project) -> None:
    done = tuned.dev("template-update", "--vcs-ref", AFTER)
    assert done.returncode == 0, done.stderr
    assert broken([EDIT], tuned) == []


def test_copier_alone_moves_it_in_silence_and_our_check_sees_that(tuned: Project) -> None:
    tuned.update(AFTER, context=3)
    assert tuned.stumbled() == set()
    assert broken([EDIT], tuned) == [f"misplaced: {FILE}"]
