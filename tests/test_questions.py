"""Questions: few, explained, with defaults that work and refusals that say what to type."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from rendering import questions, render

QUESTIONS = questions()
HOSTILE = {
    "quotes": "\"double\" 'single' `back` \\ backslash",
    "jinja": "{{ service_name }} {% raw %} {# no #}",
    "toml": '"""\n[project]\nname = "evil"',
    "newline": "one\ntwo",
    "unicode": "Größe ✓ 名前 😀",
    "200 characters": "x" * 200,
    "201 characters": "x" * 201,
    "keyword": "class",
    "empty": "",
    "blank": "   ",
    "nul": "a\0b",
    "escape": "\x1b[31mred",
    "dollar": "$(reboot) ${HOME} %s %(name)s",
    "markup": "<script>alert(1)</script> & [x](y)",
    "traversal": "../../etc/passwd",
    "separator": "a\u2028b",
    "yaml": "yes: [a, &b *b]",
    "leading dash": "-rf",
    "number": "007",
    "null": "null",
}
TEXTS = [
    name for name, said in QUESTIONS.items() if said["type"] == "str" and "choices" not in said
]


def test_there_are_at_most_ten() -> None:
    assert 1 <= len(QUESTIONS) <= 10


@pytest.mark.parametrize("name", QUESTIONS)
def test_each_explains_itself_and_has_a_default(name: str) -> None:
    said = QUESTIONS[name]
    assert len(said["help"]) > 15
    assert said["default"] is not None
    assert said["type"] in {"str", "bool"}
    if said["type"] == "str" and "choices" not in said:
        assert "Type " in said["validator"], "a refusal says what to type instead"
    assert not said.get("secret"), "a secret would end up in the answers file"


def only_answers(source: Path, folder: Path, answers: dict[str, str]) -> Path:
    """Without the files that no answer can reach: a tenth of the time."""
    return render(source, folder, answers, leave_out=["*.py", "*.md", "/docs"])


def read_back(folder: Path) -> dict[str, Any]:
    """What every rendered file that can be parsed says of the answers."""
    project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
    about = tomllib.loads((folder / "src/service/about.toml").read_text("utf-8"))
    answers = yaml.safe_load((folder / ".copier-answers.yml").read_text("utf-8"))
    return {
        "service_name": (project["name"], about["name"], answers["service_name"]),
        "service_description": (
            project["description"],
            about["description"],
            answers["service_description"],
        ),
        "owner_team": (about["owner"], answers["owner_team"]),
        "owner_contact": (about["contact"], answers["owner_contact"]),
    }


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_answer_arrives_whole_or_is_refused(
    source: Path, tmp_path: Path, name: str, kind: str
) -> None:
    answer, folder = HOSTILE[kind], tmp_path / "service"
    try:
        only_answers(source, folder, {name: answer})
    except ValueError as error:
        refusal = str(error)
    else:
        assert set(read_back(folder)[name]) == {answer}
        return
    assert "Type " in refusal
    assert not (folder / "pyproject.toml").exists()


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("service_name", "orders-api"),
        ("service_name", "a"),
        ("service_name", "import"),
        ("service_name", "x" * 40),
        ("service_description", HOSTILE["quotes"]),
        ("service_description", HOSTILE["jinja"]),
        ("service_description", HOSTILE["unicode"]),
        ("service_description", HOSTILE["200 characters"]),
        ("owner_team", "@acme/platform-team"),
        ("owner_contact", "https://chat.example.com/platform"),
        ("owner_contact", "on-call+orders@mail.example.co.uk"),
    ],
)
def test_what_a_team_would_type_is_accepted(
    source: Path, tmp_path: Path, name: str, answer: str
) -> None:
    folder = only_answers(source, tmp_path / "service", {name: answer})
    assert set(read_back(folder)[name]) == {answer}


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("service_name", "Orders"),
        ("service_name", "-orders"),
        ("service_name", "orders--api"),
        ("service_name", "x" * 41),
        ("service_description", HOSTILE["newline"]),
        ("service_description", HOSTILE["201 characters"]),
        ("service_description", ""),
        ("owner_team", "a team\n* @evil/team"),
        ("owner_contact", "nobody"),
    ],
)
def test_what_cannot_work_is_refused(source: Path, tmp_path: Path, name: str, answer: str) -> None:
    with pytest.raises(ValueError, match="Type "):
        only_answers(source, tmp_path / "service", {name: answer})


def test_the_profile_sets_the_defaults(source: Path, tmp_path: Path) -> None:
    minimal = render(source, tmp_path / "minimal", {"profile": "minimal"})
    standard = render(source, tmp_path / "standard", {"profile": "standard"})
    for path in (".github/workflows/ci.yml", "compose.yml"):
        assert not (minimal / path).exists()
        assert (standard / path).exists()
