"""What a release must keep of every earlier one, so that no update loses anything in silence."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jinja2
import jinja2.nodes
import yaml

from updates.projects import Project

Questions = dict[str, dict[str, Any]]
UPDATING = {"_copier_operation": "update"}


@dataclass(frozen=True)
class Release:
    """What one release says in copier.yml, and the paths that it ships."""

    config: dict[str, Any]
    paths: frozenset[str]

    @classmethod
    def read(cls, template: Project, ref: str) -> "Release":
        listed = template.git("ls-tree", "-r", "-z", "--name-only", ref, "template")
        return cls(
            yaml.safe_load(template.git("show", f"{ref}:copier.yml")),
            frozenset(_as_rendered(path) for path in listed.split("\0") if path),
        )

    @property
    def questions(self) -> Questions:
        return {name: said for name, said in self.config.items() if not name.startswith("_")}

    @property
    def tombstones(self) -> set[str]:
        """Anchored, plain entries: the others keep out what machines make."""
        plain = (entry for entry in self.config["_exclude"] if "{" not in entry)
        return {entry for entry in plain if entry.startswith("/")}

    @property
    def seams(self) -> set[str]:
        return set(self.config["_skip_if_exists"])

    @property
    def once(self) -> set[str]:
        """What an update leaves out, and a copy does not."""
        entry = next(e for e in self.config["_exclude"] if "_copier_operation" in e)
        return set(jinja2.Template(entry).render(UPDATING).split())


def _as_rendered(path: str) -> str:
    plain = path.removeprefix("template/").removesuffix(".jinja")
    return ".copier-answers.yml" if "_copier_conf.answers_file" in plain else plain


def breaches(old: Release, new: Release) -> list[str]:
    return [*_paths_lost(old, new), *_answers_lost(old, new), *_protection_lost(old, new)]


def _paths_lost(old: Release, new: Release) -> Iterator[str]:
    kept = {*new.paths, *(path.removeprefix("/") for path in new.tombstones)}
    for path in sorted(old.paths - kept):
        if not covered(path, new.once | old.once):
            yield f"{path} shipped once: keep it, or add /{path} to the tombstones of _exclude"


def _answers_lost(old: Release, new: Release) -> Iterator[str]:
    defaults = " ".join(str(asked.get("default")) for asked in new.questions.values())
    for name, asked in old.questions.items():
        if name not in new.questions:
            if name not in defaults:
                yield f"the answer to {name} is lost: read it in the default of another question"
            continue
        for choice in sorted(_choices(asked) - _choices(new.questions[name])):
            yield f"{name} can no longer be {choice}: a stored answer would be reset in silence"
        if asked.get("type") != new.questions[name].get("type"):
            yield f"{name} has another type: a stored answer may no longer be valid"


def _protection_lost(old: Release, new: Release) -> Iterator[str]:
    for what, before, after in (
        ("tombstone", old.tombstones, new.tombstones),
        ("seam", old.seams, new.seams | new.once),
        ("once", old.once, new.once),
    ):
        for path in sorted(before - after):
            yield f"{path} was a {what}: an update would now delete or rewrite what the team has"


def unguarded(release: Release) -> list[str]:
    """Questions that _exclude reads without `| default(...)`: a replay of older releases fails."""
    return sorted({name for entry in release.config["_exclude"] for name in _bare_names(entry)})


def without_default(release: Release) -> list[str]:
    return sorted(name for name, asked in release.questions.items() if "default" not in asked)


def _bare_names(entry: str) -> set[str]:
    tree = jinja2.Environment(autoescape=True).parse(entry)
    filters = tree.find_all(jinja2.nodes.Filter)
    guarded = [one.node for one in filters if one.name in {"default", "d"}]
    names = [name for name in tree.find_all(jinja2.nodes.Name) if name not in guarded]
    return {name.name for name in names if not name.name.startswith("_copier")}


def _choices(question: dict[str, Any]) -> set[str]:
    choices = question.get("choices", {})
    return set(map(str, choices.values() if isinstance(choices, dict) else choices))


def covered(path: str, patterns: set[str]) -> bool:
    return any(
        f"/{path}" == pattern or (pattern.endswith("/") and f"/{path}".startswith(pattern))
        for pattern in patterns
    )
