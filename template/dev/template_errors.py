"""What can go wrong with the template; every message ends with the fix.

TemplateError
├── NotInGit             there is no commit that an update could start from
├── TreeDirty            changes that are not committed would be mixed with the update's
├── ReleaseOutOfReach    the recorded release cannot be rebuilt
├── NextOutOfReach       the release to come to cannot be rendered
├── MigrationNeedsTrust  the release brings a program that wants to run here
└── UpdateStopped        Copier gave up on the way
"""

from collections.abc import Sequence

from dev.errors import DevError

BY_HAND = "uv run copier update --defaults --context-lines 100000"


class TemplateError(DevError):
    """The template cannot do what it was asked; the message says why and what to do."""


class NotInGit(TemplateError):
    """There is no commit that an update could start from."""

    def __init__(self) -> None:
        super().__init__(
            "This folder is not in a git repository with a commit. "
            'Make one: git init && git add -A && git commit -m "Start".'
        )


class TreeDirty(TemplateError):
    """Changes that are not committed would be mixed with the update's."""

    def __init__(self, files: Sequence[str]) -> None:
        super().__init__(
            "\n".join(["These files are not committed:", *(f"  {file}" for file in files), ""])
            + "Commit them, or put them aside (git stash --include-untracked); delete a *.rej when "
            "its piece is in place. Then run this again."
        )


class ReleaseOutOfReach(TemplateError):
    """The recorded release cannot be rebuilt."""

    def __init__(self, reason: object) -> None:
        super().__init__(
            f"The release that .copier-answers.yml records cannot be rebuilt: {reason}\n"
            "Nothing has been changed. Make the template's address (_src_path) reachable and its "
            "tag (_commit) exist there. If that commit is gone for good, "
            "`uv run copier recopy --defaults` takes the newest release over your files; compare "
            "with git diff and keep what is yours."
        )


class NextOutOfReach(TemplateError):
    """The release to come to cannot be rendered."""

    def __init__(self, reason: object) -> None:
        super().__init__(
            f"The next release cannot be rendered: {reason}\n"
            "Nothing has been changed. Name another one (make template-update "
            'args="--vcs-ref 1.2.3"), or report this to the owners of the template.'
        )


class MigrationNeedsTrust(TemplateError):
    """The release brings a program that wants to run here."""

    def __init__(self, vcs_ref: str | None) -> None:
        chosen = f" --vcs-ref {vcs_ref}" if vcs_ref else ""
        super().__init__(
            "This release runs a migration in your project, which needs your consent. "
            "Nothing has been changed. Read hooks/releases in the template's repository, then:\n"
            f"  {BY_HAND} --trust{chosen}\n"
            "and look at git status: Copier exits 0 on conflicts too."
        )


class UpdateStopped(TemplateError):
    """Copier gave up on the way."""

    def __init__(self, reason: object, changed: Sequence[str]) -> None:
        way_back = "To go back: git reset --hard && git clean -d --force ." if changed else ""
        super().__init__(
            f"The update stopped: {reason}\n{way_back or 'Nothing has been changed.'}\n"
            "Mend what it says and run this again."
        )
