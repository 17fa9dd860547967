"""What people read when something fails, in a language that they asked for."""

import tomllib
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

DEFAULT = "en"
HERE = Path(__file__).parent / "languages"
# Yours: a language more, or other words for some entries of one that is here.
OF_THE_TEAM = Path(__file__).parents[2] / "product" / "languages"
# Nobody reads more languages; whoever sends a longer list wants us to sort.
MOST = 20
Entries = dict[str, dict[str, str]]


class LanguageIncomplete(Exception):
    def __init__(self, language: str, difference: set[str]) -> None:
        super().__init__(
            f"languages/{language}.toml must have the entries of languages/{DEFAULT}.toml, each of "
            f"them and no other. These are missing or too many: {', '.join(sorted(difference))}."
        )


@dataclass(frozen=True)
class Words:
    title: str
    # What to do now, for somebody who has never seen an error code.
    message: str


def read_languages(*folders: Path) -> dict[str, Mapping[str, Words]]:
    """By name; what a later folder says replaces what an earlier one said."""
    said: dict[str, Entries] = {}
    for file in (file for folder in folders for file in sorted(folder.glob("*.toml"))):
        entries = said.setdefault(file.stem, {})
        for name, entry in _entries(tomllib.loads(file.read_text("utf-8"))):
            entries[name] = {**entries.get(name, {}), **entry}
    for language, entries in said.items():
        if difference := _slots(entries) ^ _slots(said[DEFAULT]):
            raise LanguageIncomplete(language, difference)
    return {
        language: {name: Words(**entry) for name, entry in entries.items()}
        for language, entries in said.items()
    }


def _entries(document: dict[str, Entries]) -> Iterator[tuple[str, dict[str, str]]]:
    for kind, named in document.items():
        for name, entry in named.items():
            yield f"{kind}.{name}", entry


def _slots(entries: Entries) -> set[str]:
    return {f"{name}.{part}" for name, entry in entries.items() for part in entry}


LANGUAGES = read_languages(HERE, OF_THE_TEAM)
_spoken: ContextVar[str] = ContextVar("spoken", default=DEFAULT)


def begin_language(accept_language: str) -> None:
    """For all that this request says; set anew for every request."""
    _spoken.set(preferred(accept_language))


def spoken() -> str:
    return _spoken.get()


def of_problem(code: str) -> Words:
    return LANGUAGES[spoken()][f"problem.{code}"]


def of_run(reason: str) -> Words:
    return LANGUAGES[spoken()][f"run.{reason}"]


def preferred(accept_language: str) -> str:
    """The language that is wanted most among those that are spoken here."""
    wanted = (_weighed(part) for part in accept_language.split(",")[:MOST])
    for weight, tag in sorted(wanted, key=lambda pair: -pair[0]):
        found = next((name for name in _broader(tag) if name in LANGUAGES), None)
        if weight and found:
            return found
    return DEFAULT


def _weighed(part: str) -> tuple[float, str]:
    """`de-CH;q=0.8` is (0.8, "de-ch"); what cannot be read is not wanted."""
    tag, _, parameter = part.partition(";")
    weight = parameter.strip().removeprefix("q=") or "1"
    known = weight.replace(".", "", 1).isdecimal() and weight.isascii() and len(weight) <= 5
    return float(weight) if known else 0, tag.strip().lower()


def _broader(tag: str) -> Iterator[str]:
    """`zh-hant-tw`, `zh-hant`, `zh`."""
    while tag:
        yield tag
        tag = tag.rpartition("-")[0]
