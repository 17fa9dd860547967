"""What an update did that a human should know."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from dev import template_git
from dev.template_git import ROOT
from dev.template_ownership import Ownership
from dev.template_render import Rendered, same_text

CHECK = "make ci"
COMMIT = 'git add -A && git commit -m "Update from the template"'


@dataclass(frozen=True)
class Report:
    """The files that need a human, and those worth a look; all empty when all went well."""

    head: str
    conflicts: Sequence[str]
    taken: Sequence[str]
    rejected: Sequence[str]
    missed: Sequence[str]

    @property
    def needs_a_human(self) -> bool:
        return bool(self.conflicts or self.taken or self.rejected)

    def __str__(self) -> str:
        kept = [f"git checkout {self.head} -- {shlex.quote(file)}" for file in self.taken]
        parts = [
            _part("CONFLICT: choose between the markers, then git add the file", self.conflicts),
            _part("REMOVED by the template though you had edited it; to bring it back", kept),
            _part("REJECTED: put these pieces in by hand, then delete the .rej", self.rejected),
            _part("Changed in the template, but you had deleted or renamed it", self.missed),
            _part("What to do next", self._steps()),
        ]
        return "\n\n".join(part for part in parts if part)

    def _steps(self) -> list[str]:
        first = ["resolve what is listed above"] if self.needs_a_human else []
        return [*first, "git diff HEAD", "uv sync", CHECK, COMMIT]


def report(old: Rendered, new: Rendered) -> Report:
    return Report(
        head=template_git.head(),
        conflicts=template_git.conflicts(),
        taken=[path for path in template_git.deleted() if _was_edited(path, old)],
        rejected=template_git.rejected(),
        missed=_missed(old, new),
    )


def _was_edited(path: str, old: Rendered) -> bool:
    return path not in old or not same_text(old[path], template_git.committed_bytes(path))


def _missed(old: Rendered, new: Rendered) -> list[str]:
    """Copier leaves a deleted file deleted, and is silent about what it would have brought."""
    here, owners = template_git.committed(), Ownership(ROOT)
    return [
        path
        for path in sorted(old.keys() & new.keys() - here)
        if owners.of(path) in {"chassis", "shared"} and not same_text(old[path], new[path])
    ]


def _part(title: str, lines: Sequence[str]) -> str:
    return "\n".join([f"{title}:", *(f"  {line}" for line in lines)]) if lines else ""
