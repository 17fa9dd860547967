"""A release of the template as it would be with this project's answers, in a folder aside."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import jinja2
from copier import VcsRef, run_recopy
from copier.errors import CopierError

from dev.template_errors import NextOutOfReach, ReleaseOutOfReach
from dev.template_git import ROOT

ANSWERS = ".copier-answers.yml"
Rendered = Mapping[str, bytes]
# Copier has no single base for what can fail: git's errors are OSErrors, a lost commit is a
# ValueError, a template that does not render is Jinja's.
COPIER_FAILURES = (CopierError, ValueError, OSError, jinja2.TemplateError)


def recorded_release() -> Rendered:
    """What the template gave when it was last asked; every byte of it is its own."""
    try:
        return _render(VcsRef.CURRENT)
    except COPIER_FAILURES as error:
        raise ReleaseOutOfReach(error) from error


def next_release(vcs_ref: str | None) -> Rendered:
    """What the template would give now; a new question gets its default."""
    try:
        return _render(chosen(vcs_ref))
    except COPIER_FAILURES as error:
        raise NextOutOfReach(error) from error


def chosen(vcs_ref: str | None) -> str | VcsRef | None:
    return VcsRef.CURRENT if vcs_ref == VcsRef.CURRENT.value else vcs_ref


def same_text(one: bytes, other: bytes) -> bool:
    """Whether two files say the same; a checkout may have changed the ends of lines."""
    return one.replace(b"\r\n", b"\n") == other.replace(b"\r\n", b"\n")


def _render(vcs_ref: str | VcsRef | None) -> Rendered:
    with _folder_with_answers() as folder:
        run_recopy(
            folder, vcs_ref=vcs_ref, defaults=True, overwrite=True, quiet=True, skip_tasks=True
        )
        return {
            file.relative_to(folder).as_posix(): file.read_bytes()
            for file in sorted(folder.rglob("*"))
            if file.is_file()
        }


@contextmanager
def _folder_with_answers() -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        shutil.copy(ROOT / ANSWERS, folder)
        yield Path(folder)
