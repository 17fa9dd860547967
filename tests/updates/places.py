"""Whether a text stands where its author put it: parsed, because grep finds it anywhere."""

import ast
import configparser
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import yaml

from updates.projects import Project

Verdict = Literal["kept", "lost", "misplaced", "resurrected"]
Place = Callable[[str], bool]
END_OF_TEMPLATE = "# End of the template-owned block."


class Trace(Protocol):
    """What somebody did to a file, and whether it is still so."""

    @property
    def path(self) -> str: ...

    def verdict(self, project: Project) -> Verdict: ...


@dataclass(frozen=True)
class Token:
    """A text in a place of a file."""

    path: str
    text: str
    place: Place

    def verdict(self, project: Project) -> Verdict:
        if not (project.folder / self.path).is_file() or self.text not in project.read(self.path):
            return "lost"
        try:
            return "kept" if self.place(project.read(self.path)) else "misplaced"
        except (SyntaxError, ValueError, yaml.YAMLError, configparser.Error, KeyError):
            # A file that no longer parses has its pieces in the wrong places.
            return "misplaced"


@dataclass(frozen=True)
class Gone:
    """A file or folder that somebody deleted."""

    path: str

    def verdict(self, project: Project) -> Verdict:
        return "resurrected" if (project.folder / self.path).exists() else "kept"


@dataclass(frozen=True)
class Absent:
    """A text that an update must not bring to a file."""

    path: str
    text: str

    def verdict(self, project: Project) -> Verdict:
        file = project.folder / self.path
        return "resurrected" if file.is_file() and self.text in project.read(self.path) else "kept"


@dataclass(frozen=True)
class Bytes:
    """A file that is no text."""

    path: str
    content: bytes

    def verdict(self, project: Project) -> Verdict:
        file = project.folder / self.path
        return "kept" if file.is_file() and file.read_bytes() == self.content else "lost"


@dataclass(frozen=True)
class Present:
    """A file that must be there, whatever it says."""

    path: str

    def verdict(self, project: Project) -> Verdict:
        return "kept" if (project.folder / self.path).is_file() else "lost"


def broken(traces: Iterable[Trace], project: Project) -> list[str]:
    """What did not survive, in words."""
    verdicts = [(trace.verdict(project), trace.path) for trace in traces]
    return [f"{verdict}: {path}" for verdict, path in verdicts if verdict != "kept"]


def whole(path: str, text: str) -> Token:
    """A file that is somebody's to the last byte."""
    return Token(path, text, lambda found: found == text)


def in_python(block: str, text: str) -> Place:
    """Inside the function or class of that name, or beside them at the top of the module."""

    def found(source: str) -> bool:
        named = [node for node in ast.parse(source).body if _name(node) == block]
        return any(text in (ast.get_source_segment(source, node) or "") for node in named)

    return found


def _name(node: ast.stmt) -> str:
    named = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    return getattr(node, "name", "") if named else ""


def in_toml(keys: Iterable[str], value: object) -> Place:
    return lambda text: _at(tomllib.loads(text), keys) == value


def in_yaml(keys: Iterable[str], value: object) -> Place:
    return lambda text: _at(yaml.safe_load(text), keys) == value


def in_ini(section: str, key: str, value: str) -> Place:
    def found(text: str) -> bool:
        parsed = configparser.ConfigParser(interpolation=None)
        parsed.read_string(text)
        return parsed.get(section, key, fallback="").split() == value.split()

    return found


def in_make(target: str, recipe: str) -> Place:
    def found(text: str) -> bool:
        lines = text.splitlines()
        at = next(i for i, line in enumerate(lines) if line.startswith(f"{target}:"))
        return lines[at + 1] == f"\t{recipe}"

    return lambda text: f"\n{target}:" in f"\n{text}" and found(text)


def in_dependencies(keys: tuple[str, ...], requirement: str, *, ours: bool) -> Place:
    """In the list of that table, above the template's marker if ours, below it if the team's."""

    def found(text: str) -> bool:
        listed = text[text.index(f"\n{keys[-1]} = [") :]
        above, below = listed[: listed.index("\n]")].split(END_OF_TEMPLATE)
        return requirement in _at(tomllib.loads(text), keys) and (
            requirement in (above if ours else below)
        )

    return found


def _at(tree: Any, keys: Iterable[str]) -> Any:
    for key in keys:
        tree = tree[key]
    return tree
