"""Git, asked about this project only, also where it is one folder of a larger repository."""

import subprocess
from pathlib import Path

from dev.template_errors import NotInGit, TreeDirty

ROOT = Path(__file__).parent.parent


def git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True).stdout


def paths(*arguments: str) -> list[str]:
    """The paths that a git command lists when asked with -z."""
    return [path.decode() for path in git(*arguments).split(b"\0") if path]


def head() -> str:
    try:
        return git("rev-parse", "--short", "--verify", "HEAD").decode().strip()
    except subprocess.CalledProcessError:
        raise NotInGit from None


def changed() -> list[str]:
    return [line[3:] for line in paths("status", "--porcelain", "-z", "--no-renames", "--", ".")]


def refuse_dirty() -> None:
    head()
    # Git ignores a leftover *.rej, but Copier would take it for its own and stop half way.
    if files := [*changed(), *rejected()]:
        raise TreeDirty(files)


def project_files() -> list[str]:
    """What git tracks or would track here."""
    head()
    listed = paths("ls-files", "--cached", "--others", "--exclude-standard", "-z")
    return sorted({path for path in listed if (ROOT / path).is_file()})


def conflicts() -> list[str]:
    return paths("diff", "--name-only", "--relative", "--diff-filter=U", "-z")


def deleted() -> list[str]:
    return paths(
        "diff", "--name-only", "--relative", "--diff-filter=D", "--no-renames", "-z", "HEAD"
    )


def committed() -> set[str]:
    return set(paths("ls-tree", "-r", "--name-only", "-z", "HEAD", "."))


def committed_bytes(path: str) -> bytes:
    return git("show", f"HEAD:./{path}")


def rejected() -> list[str]:
    """Copier leaves these where it could neither merge nor mark a conflict."""
    return paths("ls-files", "--others", "--ignored", "--exclude=*.rej", "-z")
