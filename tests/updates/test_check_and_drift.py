"""`make template-check` and `make template-drift` look, and change nothing."""

from updates.changes import EVERYTHING
from updates.conftest import Generate
from updates.repositories import NEXT, Template


def test_check_knows_whether_a_newer_release_exists(
    template: Template, generated: Generate
) -> None:
    project = generated(NEXT)
    template.release(EVERYTHING)
    done = project.dev("template-check")
    assert done.returncode == 2, done.stderr
    assert f"{NEXT} is behind" in done.stdout
    assert project.dev("template-update").returncode == 0
    project.commit("Update")
    assert project.dev("template-check").returncode == 0


def test_drift_lists_what_is_the_templates_and_was_changed_and_nothing_else(
    generated: Generate,
) -> None:
    project = generated(NEXT)
    assert project.dev("template-drift").returncode == 0
    project.append("src/service/main.py", "# ours\n")
    project.write("product.mk", "")
    project.append("Makefile", "# not ours\n")
    project.write("dev/extra.py", "")
    (project.folder / "mypy.ini").unlink()
    done = project.dev("template-drift")
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines() == [
        "changed  Makefile",
        "added    dev/extra.py",
        "missing  mypy.ini",
        "3 template-owned files differ from the recorded release.",
    ]
