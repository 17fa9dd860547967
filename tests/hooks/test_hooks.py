"""A breaking release asks for trust once, moves what it must, and may be run again."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from copier import run_copy, run_update
from copier.errors import UnsafeTemplateError

from updates.conftest import Generate
from updates.projects import Project
from updates.repositories import NEXT, REPOSITORY, Template

MIGRATE = REPOSITORY / "hooks" / "migrate.py"
BREAKING, LATER = "2000.0.0", "2000.1.0"
RELEASE = """
def before(project):
    project.rename_answer("owner_team", "team")
    project.replace_answer("ci", "github", "none")
    project.move("docs/settings.md", "docs/reference/settings.md")


def after(project):
    (project.folder / "docs" / "left-over.md").unlink(missing_ok=True)
"""
ENTRY = """  - version: {version}
    when: "{{{{ _stage == '{stage}' }}}}"
    command:
      - "{{{{ _copier_python }}}}"
      - "{{{{ _copier_conf.src_path }}}}/hooks/migrate.py"
      - {stage}
"""
ENTRIES = [ENTRY.format(version=BREAKING, stage=stage) for stage in ("before", "after")]
MIGRATIONS = "\n_migrations:\n" + "".join(ENTRIES)
TEAM = {"owner_team": "@acme/payments"}


@pytest.fixture(scope="session")
def breaking(template: Template) -> Template:
    """The template with a release that renames a question and moves a file, and one after it."""
    source = template.project
    source.git("checkout", "--quiet", "--detach", NEXT)
    for file in ["copier.yml", *source.git("ls-files", "template/*.jinja").splitlines()]:
        source.write(file, source.read(file).replace("owner_team", "team"))
    source.append("copier.yml", MIGRATIONS)
    source.write("hooks/releases/v2000_0_0.py", RELEASE)
    source.write("template/docs/reference/settings.md", source.read("template/docs/settings.md"))
    (source.folder / "template/docs/settings.md").unlink()
    template.tag(BREAKING)
    source.append("template/Makefile", "# later\n")
    template.tag(LATER)
    return template


@pytest.fixture
def service(generated: Generate) -> Project:
    project = generated(NEXT, TEAM)
    project.write("docs/left-over.md", "")
    project.commit("Something that the release cleans up")
    return project


def _update(project: Project, version: str, *, trusted: bool) -> None:
    run_update(
        project.folder, vcs_ref=version, defaults=True, overwrite=True, quiet=True, unsafe=trusted
    )


def _run(project: Project, stage: str, version: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(MIGRATE), stage],
        cwd=project.folder,
        env={**os.environ, "VERSION_CURRENT": version},
        capture_output=True,
        text=True,
        check=False,
    )


def test_crossing_the_release_needs_trust_and_changes_nothing_without(
    breaking: Template, service: Project
) -> None:
    with pytest.raises(UnsafeTemplateError, match="migrations"):
        _update(service, BREAKING, trusted=False)
    assert service.status() == ""


def test_the_wrapper_asks_for_consent_with_the_command_to_give_it(
    breaking: Template, service: Project
) -> None:
    done = service.dev("template-update", "--vcs-ref", LATER)
    assert done.returncode == 1
    assert f"copier update --defaults --context-lines 100000 --trust --vcs-ref {LATER}" in (
        done.stderr
    )
    assert service.status() == ""


@pytest.mark.parametrize("version", [BREAKING, LATER])
def test_crossing_the_release_moves_answers_and_files(
    version: str, breaking: Template, service: Project
) -> None:
    _update(service, version, trusted=True)
    answers = service.answers()
    assert (answers["team"], answers["ci"]) == ("@acme/payments", "none")
    assert "owner_team" not in answers
    assert 'owner = "@acme/payments"' in service.read("src/service/about.toml")
    assert not (service.folder / "docs/settings.md").exists()
    assert (service.folder / "docs/reference/settings.md").is_file()
    assert not (service.folder / "docs/left-over.md").exists()


def test_an_edit_goes_along_with_the_file_that_moves(breaking: Template, service: Project) -> None:
    service.append("docs/settings.md", "team-note\n")
    service.commit("Our note")
    _update(service, BREAKING, trusted=True)
    assert "team-note\n" in service.read("docs/reference/settings.md")


def test_running_it_twice_is_running_it_once(breaking: Template, service: Project) -> None:
    hook = breaking.project.folder / "hooks" / "migrate.py"
    seen = []
    for _ in range(2):
        for stage in ("before", "after"):
            environ = {**os.environ, "VERSION_CURRENT": BREAKING}
            command = [sys.executable, str(hook), stage]
            subprocess.run(command, cwd=service.folder, env=environ, check=True)
        seen.append(service.files())
    assert seen[0] == seen[1]
    assert b"team: '@acme/payments'" in seen[0][".copier-answers.yml"]


def test_copies_and_updates_that_do_not_cross_it_never_ask(
    breaking: Template, folder: Path
) -> None:
    project = Project(folder / "new")
    run_copy(breaking.address, project.folder, vcs_ref=BREAKING, defaults=True, quiet=True)
    project.start_repository()
    _update(project, LATER, trusted=False)
    assert project.read("Makefile").endswith("# later\n")


def test_the_releases_that_are_out_never_ask(template: Template, generated: Generate) -> None:
    project = generated(NEXT)
    _update(project, NEXT, trusted=False)
    assert project.status() == ""


@pytest.mark.parametrize(
    ("stage", "version", "complaint"),
    [("before", "77.0.0", "v77_0_0.py is gone"), ("during", BREAKING, "unknown stage 'during'")],
)
def test_a_migration_that_cannot_run_says_why(
    stage: str, version: str, complaint: str, service: Project
) -> None:
    done = _run(service, stage, version)
    assert done.returncode == 1
    assert complaint in done.stderr


def test_migrations_need_nothing_but_python() -> None:
    sources = [MIGRATE, *sorted((MIGRATE.parent / "releases").glob("*.py"))]
    nodes = [node for file in sources for node in ast.walk(ast.parse(file.read_text("utf-8")))]
    imported = {
        alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names
    }
    imported |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names
