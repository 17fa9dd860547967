"""What people read: complete in each language, and in the one that they asked for."""

import re
from pathlib import Path
from typing import get_args

import pytest

from callers import Client
from service.chassis.contract import run_states, words
from service.chassis.contract.problems import CATALOGUE
from service.chassis.contract.words import (
    HERE,
    LANGUAGES,
    LanguageIncomplete,
    preferred,
    read_languages,
)

RUNBOOK = Path(__file__).parents[3] / "docs" / "problems.md"
REASONS = {*get_args(run_states.DegradedReason), *get_args(run_states.FailedReason)}


@pytest.mark.parametrize("language", ["en", "de"])
def test_each_language_has_words_for_each_problem_and_reason_and_no_others(language: str) -> None:
    meant = {f"problem.{code}" for code in CATALOGUE} | {f"run.{reason}" for reason in REASONS}
    assert set(LANGUAGES[language]) == meant


def test_what_was_translated_is_in_another_language() -> None:
    same = [name for name, said in LANGUAGES["de"].items() if said == LANGUAGES["en"][name]]
    assert same == []


def test_no_word_names_a_part_of_the_service_or_leaves_a_slot_open() -> None:
    inner = re.compile(
        r"postgres|valkey|redis|sql|queue|worker|exception|http \d|[{}<>%]", re.IGNORECASE
    )
    for spoken in LANGUAGES.values():
        for said in spoken.values():
            assert not inner.search(said.title + said.message)
            assert said.title.endswith((".", "!"))
            assert said.message.endswith((".", "!"))


def test_each_problem_has_a_runbook_and_no_runbook_is_left_over() -> None:
    sections = re.findall(r"^## (\S+)$\n\n(.+)", RUNBOOK.read_text("utf-8"), re.MULTILINE)
    assert [code for code, _ in sections] == list(dict.fromkeys(code for code, _ in sections))
    assert {f"docs/problems.md#{code}" for code, _ in sections} == {
        kind.runbook for kind in CATALOGUE.values()
    }


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        ("", "en"),
        ("de", "de"),
        ("DE-ch", "de"),
        ("fr, de;q=0.5", "de"),
        ("de;q=0.4, en;q=0.5", "en"),
        ("en;q=0, de;q=0.1", "de"),
        ("de;q=0", "en"),
        ("*", "en"),
        ("de;q=much", "en"),
        ("de;q=1e9, en", "en"),
        ("../../en", "en"),
        (", ".join(["xx"] * 20 + ["de"]), "en"),
        ("de-" * 200, "de"),
    ],
)
def test_the_language_is_the_one_wanted_most_of_those_that_are_spoken(
    asked: str, spoken: str
) -> None:
    assert preferred(asked) == spoken


@pytest.mark.parametrize("language", ["en", "de"])
async def test_a_problem_is_told_in_the_language_that_was_asked_for(
    ana: Client, language: str
) -> None:
    await ana.signed_in()
    answer = await ana.get("/v1/nowhere", headers={"accept-language": f"{language}-AT, fr;q=0.2"})
    said = LANGUAGES[language]["problem.not-found"]
    body = answer.json()
    assert (answer.status_code, answer.headers["content-language"]) == (404, language)
    assert (body["title"], body["message"], body["code"]) == (said.title, said.message, "not-found")


async def test_a_language_ends_with_its_request(ana: Client) -> None:
    await ana.get("/v1/nowhere", headers={"accept-language": "de"})
    assert (await ana.get("/v1/nowhere")).headers["content-language"] == "en"


async def test_a_body_that_is_refused_before_any_route_speaks_it_too(ana: Client) -> None:
    answer = await ana.post(
        "/v1/nowhere", content=b"x" * 2_000_000, headers={"accept-language": "de"}
    )
    assert (answer.status_code, answer.headers["content-language"]) == (413, "de")


def test_a_team_says_it_in_its_own_words(tmp_path: Path) -> None:
    (tmp_path / "en.toml").write_text('[problem.forbidden]\nmessage = "Ask Ada."\n')
    said = read_languages(HERE, tmp_path)["en"]
    assert said["problem.forbidden"].message == "Ask Ada."
    assert said["problem.forbidden"].title == LANGUAGES["en"]["problem.forbidden"].title
    assert said["problem.invalid"] == LANGUAGES["en"]["problem.invalid"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[problem.forbidden]\ntitle = "Non."\nmessage = "Non."\n', "problem.invalid.title"),
        ('[problem.surprise]\ntitle = "Non."\n', "problem.surprise.title"),
    ],
)
def test_a_language_with_gaps_or_leftovers_is_refused_and_told_which(
    tmp_path: Path, text: str, named: str
) -> None:
    (tmp_path / "fr.toml").write_text(text)
    with pytest.raises(LanguageIncomplete, match=rf"languages/fr\.toml.*{re.escape(named)}"):
        read_languages(HERE, tmp_path)


def test_the_teams_folder_is_the_one_that_the_guide_names() -> None:
    assert words.OF_THE_TEAM.as_posix().endswith("src/service/product/languages")
    assert "src/service/product/languages/" in RUNBOOK.read_text("utf-8")
