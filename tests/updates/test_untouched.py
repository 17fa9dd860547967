"""A service that nobody touched is, after an update, what a new one would be."""

import itertools
from pathlib import Path
from typing import Any

import copier
import pytest
import yaml

from updates.changes import EVERYTHING
from updates.conftest import Generate
from updates.ownership import is_theirs
from updates.projects import ANSWERS, Answers, Project
from updates.repositories import NEXT, RELEASES, REPOSITORY, Template

QUESTIONS = {
    name: asked
    for name, asked in yaml.safe_load((REPOSITORY / "copier.yml").read_text("utf-8")).items()
    if not name.startswith("_")
}
LONG = "a-service-with-a-name-of-forty-character"
EXTREME: list[Answers] = [
    {
        "service_name": "a",
        "owner_team": "b",
        "owner_contact": "a@b.co",
        "service_description": ".",
    },
    {
        "service_name": LONG,
        "service_description": 'Says "yes": \\ & {{ braces }} # and ünïcode' + " ." * 70,
        "owner_team": "@acme/" + "t" * 70,
        "owner_contact": "https://chat.example.com/" + "p" * 100,
    },
]


def _values(question: dict[str, Any]) -> list[object]:
    if question.get("type") == "bool":
        return [True, False]
    choices = question.get("choices", {})
    return list(choices.values() if isinstance(choices, dict) else choices)


# A file that the template gave up stays as the last update left it, so paths differ there.
REPLAYABLE = tuple(change for change in EVERYTHING if change != "given_up")
SWITCHES = {name: _values(asked) for name, asked in QUESTIONS.items() if _values(asked)}
ANSWER_SETS: list[Answers] = [
    {},
    *EXTREME,
    *({name: value} for name, values in SWITCHES.items() for value in values),
]
SWITCHED = [
    (name, one, other)
    for name, values in SWITCHES.items()
    for one, other in itertools.permutations(values, 2)
]


def comparable(files: dict[str, bytes]) -> dict[str, bytes]:
    """Without what a copy gives and an update, by design, does not touch."""
    return {path: content for path, content in files.items() if not is_theirs(path)}


@pytest.fixture
def fresh(template: Template, folder: Path) -> Generate:
    def generate(version: str, answers: Answers | None = None) -> Project:
        project = Project(folder / "fresh")
        copier.run_copy(
            template.address,
            project.folder,
            data=answers or {},
            vcs_ref=version,
            defaults=True,
            quiet=True,
        )
        project.start_repository()
        return project

    return generate


@pytest.mark.parametrize("answers", ANSWER_SETS, ids=" ".join)
def test_an_update_to_the_same_release_changes_nothing(
    answers: Answers, generated: Generate
) -> None:
    project = generated(NEXT, answers)
    project.update(":current:")
    assert project.status() == ""


@pytest.mark.parametrize("answers", [{}, *EXTREME], ids=["defaults", "shortest", "longest"])
@pytest.mark.parametrize("version", RELEASES)
def test_every_answer_survives_and_the_files_are_those_of_a_new_service(
    version: str, answers: Answers, generated: Generate, fresh: Generate, template: Template
) -> None:
    project, newest = generated(version, answers), template.release(REPLAYABLE).version
    stored = project.answers()
    assert stored.items() >= answers.items()
    project.update(newest)
    assert project.answers().items() >= (stored | {"_commit": newest}).items()
    assert comparable(project.files()) == comparable(fresh(newest, answers).files())


@pytest.mark.parametrize("version", RELEASES)
def test_a_jump_ends_where_the_single_steps_end(
    version: str, generated: Generate, template: Template, folder: Path
) -> None:
    jumped = generated(version)
    stepped = jumped.copy_to(folder / "stepped")
    newest = template.release(REPLAYABLE).version
    for step in [*list(RELEASES)[list(RELEASES).index(version) + 1 :], NEXT, newest]:
        stepped.update(step)
        stepped.commit(step)
    jumped.update(newest)
    assert jumped.files() == stepped.files()


@pytest.mark.parametrize(("question", "one", "other"), SWITCHED)
def test_an_option_switched_there_and_back_leaves_the_same_files(
    question: str, one: object, other: object, generated: Generate
) -> None:
    project = generated(NEXT, {question: one})
    mine = ".github/workflows/product-nightly.yml"
    project.write(mine, "name: nightly\n")
    project.commit("Our pipeline")
    before = project.files()
    for value in (other, one):
        project.update(":current:", answers={question: value})
        assert project.stumbled() == set()
        assert project.read(mine) == "name: nightly\n"
        project.commit(f"{question} is {value}")
    assert project.files() == before


def test_a_new_answer_takes_effect_and_is_stored(generated: Generate) -> None:
    project = generated(NEXT)
    project.update(":current:", answers={"owner_team": "@acme/payments"})
    assert project.answers()["owner_team"] == "@acme/payments"
    assert 'owner = "@acme/payments"' in project.read("src/service/about.toml")
    assert project.read(ANSWERS).startswith("# Written by Copier")
