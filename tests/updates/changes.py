"""What releases of the template do: each function makes a change, and says where it must arrive."""

import re
from collections.abc import Callable, Sequence

from updates import changes_chassis as chassis
from updates.places import (
    Absent,
    Present,
    Token,
    Trace,
    in_dependencies,
    in_make,
    in_toml,
    in_yaml,
)
from updates.projects import Project

Change = Callable[[Project], Sequence[Trace]]
PYPROJECTS = ("template/pyproject.toml", "template/pyproject.toml.jinja")
END = "    # End of the template-owned block."


def dependency(template: Project) -> Sequence[Trace]:
    added = "synthetic-dependency>=1.0"
    for path in PYPROJECTS:
        template.replace(path, END, f'    "{added}",\n{END}')
    place = in_dependencies(("project", "dependencies"), added, ours=True)
    return [Token("pyproject.toml", added, place)]


def resolution_date(template: Project) -> Sequence[Trace]:
    """Every release moves it, three lines above the tables of the team."""
    for path in PYPROJECTS:
        date = re.search(r'exclude-newer = "([0-9-]+)"', template.read(path))
        assert date, "pyproject.toml no longer has exclude-newer"
        template.replace(path, date[1], "2031-01-31")
    place = in_toml(("tool", "uv", "exclude-newer"), "2031-01-31")
    return [Token("pyproject.toml", "2031-01-31", place)]


def workflow(template: Project) -> Sequence[Trace]:
    """A job more in a pipeline of the template's, or a first pipeline."""
    job = '\n  synthetic:\n    runs-on: ubuntu-latest\n    steps:\n      - run: "true"\n'
    folder = template.folder / "template/.github/workflows"
    path = next((f".github/workflows/{f.name}" for f in sorted(folder.glob("*.yml"))), None)
    if path:
        template.append(f"template/{path}", job)
    else:
        path = ".github/workflows/synthetic.yml"
        template.write(f"template/{path}", f"name: synthetic\non: [push]\njobs:{job}")
    place = in_yaml(("jobs", "synthetic", "runs-on"), "ubuntu-latest")
    return [Token(path, "synthetic", place)]


def make_target(template: Project) -> Sequence[Trace]:
    end = "-include product.mk"
    target = "synthetic: ## A synthetic target\n\t@true synthetic\n"
    template.replace("template/Makefile", end, f"{target}\n{end}")
    return [Token("Makefile", "synthetic", in_make("synthetic", "@true synthetic"))]


def question(template: Project) -> Sequence[Trace]:
    asked = "synthetic_region:\n  type: str\n  help: Where it runs\n  default: eu\n\n"
    template.replace("copier.yml", "\n_exclude:\n", f"\n{asked}_exclude:\n")
    path, rendered = ".strongback/region.toml", 'region = "{{ synthetic_region }}"\n'
    template.write(f"template/{path}.jinja", rendered)
    return [
        Token(path, "eu", in_toml(("region",), "eu")),
        Token(".copier-answers.yml", "synthetic_region", in_yaml(("synthetic_region",), "eu")),
    ]


def example(template: Project) -> Sequence[Trace]:
    path = "src/service/product/notes/application.py"
    template.append(f"template/{path}", '\n\nSYNTHETIC = "synthetic_example"\n')
    return [Absent(path, "synthetic_example")]


def seam(template: Project) -> Sequence[Trace]:
    path = "src/service/main.py"
    template.append(f"template/{path}", '\n\nSYNTHETIC = "synthetic_seam"\n')
    return [Absent(path, "synthetic_seam")]


def given_up(template: Project) -> Sequence[Trace]:
    """The right way: the file goes from the template, its tombstone stays for ever."""
    removed(template)
    template.replace("copier.yml", "\n_exclude:\n", "\n_exclude:\n  - /docs/settings.md\n")
    return [Present("docs/settings.md")]


def readme(template: Project) -> Sequence[Trace]:
    names = ("template/README.md.jinja", "template/README.md")
    path = next((name for name in names if (template.folder / name).exists()), names[-1])
    template.append(path, "\nThis is synthetic_readme.\n")
    return [Absent("README.md", "synthetic_readme")]


ORDINARY: tuple[Change, ...] = (
    chassis.chassis_near,
    chassis.chassis_far,
    chassis.chassis_module,
    dependency,
    resolution_date,
    chassis.setting,
    chassis.chassis_migration,
    workflow,
    make_target,
    question,
    example,
    seam,
    given_up,
    readme,
)
EVERYTHING = tuple(change.__name__ for change in ORDINARY)


def removed(template: Project) -> Sequence[Trace]:
    """The wrong way: without a tombstone an update deletes the file, edited or not."""
    (template.folder / "template/docs/settings.md").unlink()
    return [Absent("docs/settings.md", "")]


CHANGES = {change.__name__: change for change in (*ORDINARY, removed)}
