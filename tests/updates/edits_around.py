"""What teams do around the code: dependencies, commands, pipelines, answers."""

from collections.abc import Sequence

from updates.places import (
    Bytes,
    Token,
    Trace,
    in_dependencies,
    in_ini,
    in_make,
    in_toml,
    in_yaml,
    whole,
)
from updates.projects import ANSWERS, Project

CONTRACTS = """[importlinter]
root_package = service

[importlinter:contract:team]
name = Nothing of the chassis knows a feature
type = forbidden
source_modules = service.chassis
forbidden_modules = service.product
"""


def dependency_of_the_team(project: Project) -> Sequence[Trace]:
    """Where `uv add` puts it: at the end of a list that is not sorted."""
    return [_uv_add(project, ("project", "dependencies"), "team-dependency>=2.0")]


def tool_of_the_team(project: Project) -> Sequence[Trace]:
    """Where `uv add --dev` puts it."""
    return [_uv_add(project, ("dependency-groups", "dev"), "team-tool>=3.0")]


def _uv_add(project: Project, keys: tuple[str, str], added: str) -> Trace:
    text = project.read("pyproject.toml")
    end = text.index("\n]", text.index(f"\n{keys[1]} = [")) + 1
    project.write("pyproject.toml", f'{text[:end]}    "{added}",\n{text[end:]}')
    return Token("pyproject.toml", added, in_dependencies(keys, added, ours=False))


def table_in_pyproject(project: Project) -> Sequence[Trace]:
    project.append("pyproject.toml", "[tool.team]\nregion = 'team-eu'\n")
    return [Token("pyproject.toml", "team-eu", in_toml(("tool", "team", "region"), "team-eu"))]


def make_target(project: Project) -> Sequence[Trace]:
    path = "product.mk"
    project.write(path, "seed: ## Load what a demonstration needs\n\t@echo team-seed\n")
    return [Token(path, "team-seed", in_make("seed", "@echo team-seed"))]


def workflow(project: Project) -> Sequence[Trace]:
    path = ".github/workflows/product-nightly.yml"
    project.write(path, "name: nightly\non: {}\njobs:\n  team:\n    runs-on: team-runner\n")
    return [Token(path, "team-runner", in_yaml(("jobs", "team", "runs-on"), "team-runner"))]


def alert(project: Project) -> Sequence[Trace]:
    path = "product.alerts.yml"
    text = "groups:\n  - name: team\n    rules: [{alert: TeamOrdersStuck}]\n"
    project.write(path, text)
    return [whole(path, text)]


def runbook(project: Project) -> Sequence[Trace]:
    path, text = "docs/product/runbook.md", "# When orders are stuck\n"
    project.write(path, text)
    return [whole(path, text)]


def picture(project: Project) -> Sequence[Trace]:
    """Git's patches cannot carry it."""
    path, content = "docs/product/map.png", bytes(range(256)) * 8
    (project.folder / path).parent.mkdir(parents=True, exist_ok=True)
    (project.folder / path).write_bytes(content)
    return [Bytes(path, content)]


def readme(project: Project) -> Sequence[Trace]:
    project.append("README.md", "\nAsk the team-channel.\n")
    return [whole("README.md", project.read("README.md"))]


def compose(project: Project) -> Sequence[Trace]:
    path = "compose.override.yml"
    project.write(path, "services:\n  postgres:\n    mem_limit: 4g\n")
    return [Token(path, "4g", in_yaml(("services", "postgres", "mem_limit"), "4g"))]


def import_contracts(project: Project) -> Sequence[Trace]:
    path = "product.importlinter"
    project.write(path, CONTRACTS)
    place = in_ini("importlinter:contract:team", "source_modules", "service.chassis")
    return [Token(path, "contract:team", place)]


def renamed_team(project: Project) -> Sequence[Trace]:
    """An answer is changed by Copier, never by hand."""
    project.commit("Work so far")
    project.update(":current:", answers={"owner_team": "@acme/payments"})
    return [
        Token(ANSWERS, "payments", in_yaml(("owner_team",), "@acme/payments")),
        Token("src/service/about.toml", "payments", in_toml(("owner",), "@acme/payments")),
    ]
