"""The working tree breaks no promise of a release; and each rule, broken, is reported."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from updates.ownership import OWNERSHIP
from updates.repositories import NEXT, RELEASES, Template
from updates.rules import Release, breaches, unguarded, without_default

Damage = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="session")
def next_release(template: Template) -> Release:
    return Release.read(template.project, NEXT)


@pytest.mark.parametrize("version", RELEASES)
def test_nothing_that_a_release_promised_is_broken(
    version: str, template: Template, next_release: Release
) -> None:
    old = Release.read(template.project, version)
    assert len(old.paths) > 50
    assert breaches(old, next_release) == []


@pytest.mark.parametrize("version", RELEASES)
def test_a_migration_that_was_released_is_never_changed(version: str, template: Template) -> None:
    """A database that ran it would not run it again: write the next one."""
    folder = "template/migrations/chassis"
    changed = template.project.git(
        "diff", "--name-only", "--diff-filter=MDR", version, NEXT, folder
    )
    assert changed == ""


def test_every_condition_on_a_question_works_for_services_older_than_the_question(
    next_release: Release,
) -> None:
    assert unguarded(next_release) == []


def test_every_question_has_a_default(next_release: Release) -> None:
    assert without_default(next_release) == []


def test_copier_and_the_ownership_rules_say_the_same(next_release: Release) -> None:
    """`a/**` there is `/a/` here."""
    stated: dict[str, set[str]] = {"seam": set(), "once": set()}
    for owner, pattern in OWNERSHIP.patterns:
        stated.setdefault(owner, set()).add(f"/{pattern.removesuffix('**')}")
    assert stated["seam"] == next_release.seams
    assert stated["once"] == next_release.once


def test_nothing_ships_into_what_is_the_teams(next_release: Release) -> None:
    shipped = [path for path in sorted(next_release.paths) if OWNERSHIP.of(path) == "product"]
    assert shipped == []


def _once(config: dict[str, Any]) -> int:
    return next(i for i, e in enumerate(config["_exclude"]) if "_copier_operation" in e)


def _without_readme(config: dict[str, Any]) -> None:
    at = _once(config)
    config["_exclude"][at] = config["_exclude"][at].replace("/README.md\n", "")


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda c: c.pop("owner_team"), "the answer to owner_team is lost"),
        (lambda c: c["ci"]["choices"].pop("None"), "ci can no longer be none"),
        (lambda c: c["containers"].update(type="str"), "containers has another type"),
        (lambda c: c["_skip_if_exists"].remove("/src/service/main.py"), "was a seam"),
        (_without_readme, "/README.md was a once"),
        (lambda c: c["_exclude"].remove("/uv.lock"), "/uv.lock was a tombstone"),
    ],
)
def test_a_broken_promise_is_reported(
    damage: Damage, complaint: str, next_release: Release
) -> None:
    config = yaml.safe_load(yaml.safe_dump(next_release.config))
    damage(config)
    found = breaches(next_release, dataclasses.replace(next_release, config=config))
    assert len(found) == 1
    assert complaint in found[0]


def test_a_path_that_vanishes_is_reported_and_a_tombstone_is_enough(
    template: Template, next_release: Release
) -> None:
    removed = Release.read(template.project, template.release(("removed",)).version)
    given_up = Release.read(template.project, template.release(("given_up",)).version)
    assert breaches(next_release, given_up) == []
    found = breaches(next_release, removed)
    assert len(found) == 1
    assert found[0].startswith("docs/settings.md shipped once")


def test_a_renamed_question_that_reads_the_old_answer_is_no_breach(next_release: Release) -> None:
    config = yaml.safe_load(yaml.safe_dump(next_release.config))
    config["team"] = {**config.pop("owner_team"), "default": "{{ owner_team | default('x') }}"}
    assert breaches(next_release, dataclasses.replace(next_release, config=config)) == []


def test_a_condition_without_a_default_is_reported(next_release: Release) -> None:
    exclude = ["{% if ci != 'github' %}/a{% endif %}", "{% if (b | default(1)) %}/b{% endif %}"]
    config = {**next_release.config, "_exclude": exclude}
    assert unguarded(dataclasses.replace(next_release, config=config)) == ["ci"]


def test_a_question_without_a_default_is_reported(next_release: Release) -> None:
    config = {**next_release.config, "region": {"type": "str"}}
    assert without_default(dataclasses.replace(next_release, config=config)) == ["region"]
