"""The matrix sees what it is there to see: conflicts, losses, misplacements, resurrections."""

import pytest

from updates import edits
from updates.changes import EVERYTHING
from updates.conftest import Generate
from updates.places import Token, broken, in_dependencies, in_python, in_toml
from updates.repositories import NEXT, Template

CONTEXTS = (3, 100_000)
APP = "src/service/chassis/app.py"
ANCHOR = "    configure_logs(settings)\n"
FLOOR = '"fastapi>='


@pytest.mark.parametrize("context", CONTEXTS)
def test_an_edit_of_a_chassis_line_next_to_a_change_of_the_templates_conflicts(
    context: int, template: Template, generated: Generate
) -> None:
    project = generated(NEXT)
    project.replace(APP, ANCHOR, f"{ANCHOR}    print(settings)\n")
    project.commit("Where it does not belong")
    project.update(template.release(("chassis_near",)).version, context=context)
    assert project.unmerged() == {APP}
    assert project.stumbled() == {APP}


def test_an_edit_of_a_chassis_file_far_from_the_change_is_merged(
    template: Template, generated: Generate
) -> None:
    project, release = generated(NEXT), template.release(("chassis_far",))
    project.replace("src/service/chassis/settings.py", "PUBLISHED = (", "US = 1\nPUBLISHED = (")
    project.commit("Where it does not belong")
    project.update(release.version, context=100_000)
    assert project.stumbled() == set()
    assert broken(release.traces, project) == []


def test_a_floor_that_the_team_raised_conflicts_only_if_the_template_moves_that_line(
    template: Template, generated: Generate
) -> None:
    project, release = generated(NEXT), template.release(("dependency", "resolution_date"))
    project.replace("pyproject.toml", FLOOR, '"fastapi>=0.999,>=')
    project.replace("pyproject.toml", 'exclude-newer = "', 'exclude-newer = "2029-')
    project.commit("One harmless, one not")
    project.update(release.version, context=100_000)
    assert project.unmerged() == {"pyproject.toml"}
    assert project.read("pyproject.toml").count("<<<<<<<") == 1
    assert '"fastapi>=0.999,>=' in project.read("pyproject.toml")


def test_a_release_that_removes_an_edited_file_without_a_tombstone_loses_it(
    template: Template, generated: Generate
) -> None:
    project = generated(NEXT)
    project.append("docs/settings.md", "team-note\n")
    project.commit("Our note")
    project.update(template.release(("removed",)).version)
    note = Token("docs/settings.md", "team-note", lambda _: True)
    assert broken([note], project) == ["lost: docs/settings.md"]


@pytest.mark.parametrize("edit", [edit for edit in edits.EDITS if edit != "deleted_example"])
def test_an_edit_that_is_undone_is_reported_as_lost(edit: str, generated: Generate) -> None:
    project = generated(NEXT)
    project.commit("Before")
    before = project.git("rev-parse", "HEAD").strip()
    traces = edits.apply([edit], project)
    assert broken(traces, project) == []
    project.git("reset", "--quiet", "--hard", before)
    assert all(line.startswith("lost") for line in broken(traces, project))
    assert len(broken(traces, project)) == len(traces)


@pytest.mark.parametrize("change", EVERYTHING)
def test_a_change_that_does_not_arrive_is_reported(
    change: str, template: Template, generated: Generate
) -> None:
    """The old service lacks what arrives; given what must stay away, it is reported too."""
    project, release = generated(NEXT), template.release((change,))
    for trace in release.traces:
        if type(trace).__name__ == "Present":
            (project.folder / trace.path).unlink()
        elif type(trace).__name__ == "Absent":
            project.append(trace.path, f"\n{vars(trace)['text']}\n")
    assert len(broken(release.traces, project)) == len(release.traces)


def test_a_deleted_example_that_comes_back_is_reported(generated: Generate) -> None:
    project = generated(NEXT)
    traces = edits.apply(["deleted_example"], project)
    project.write("src/service/product/notes/__init__.py", "")
    assert "resurrected: src/service/product/notes" in broken(traces, project)


@pytest.mark.parametrize(
    ("path", "text", "place", "moved"),
    [
        ("a.py", "audit()", in_python("b", "audit()"), "def a():\n    audit()\n\ndef b(): ...\n"),
        ("a.toml", "1", in_toml(("db", "memory"), 1), "[db]\n[cache]\nmemory = 1\n"),
        ("a.toml", "1", in_toml(("db", "memory"), 1), "<<<<<<< ours\nmemory = 1\n"),
        (
            "pyproject.toml",
            "team>=1",
            in_dependencies(("project", "dependencies"), "team>=1", ours=False),
            '[project]\ndependencies = [\n"team>=1",\n# End of the template-owned block.\n]\n',
        ),
    ],
)
def test_a_text_in_another_block_is_reported_as_misplaced(
    path: str, text: str, place: object, moved: str, generated: Generate
) -> None:
    project = generated(NEXT)
    project.write(path, moved)
    assert callable(place)
    assert broken([Token(path, text, place)], project) == [f"misplaced: {path}"]
