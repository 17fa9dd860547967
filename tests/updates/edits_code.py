"""What teams do to the code of a generated service."""

import re
import shutil
from collections.abc import Sequence

from updates.places import Gone, Token, Trace, in_python, whole
from updates.projects import Project

PRODUCT = "src/service/product"
FEATURES = f"{PRODUCT}/__init__.py"
EXAMPLE = (f"{PRODUCT}/notes", "tests/product/notes")


def feature(project: Project) -> Sequence[Trace]:
    """Their first feature starts as a copy of the example, as the documentation says."""
    traces: list[Trace] = []
    for folder in EXAMPLE:
        for source in sorted((project.folder / folder).glob("*.py")):
            path = source.relative_to(project.folder).as_posix().replace("note", "order")
            text = source.read_text("utf-8").replace("note", "order").replace("Note", "Order")
            project.write(path, text)
            traces.append(whole(path, text))
    project.replace(FEATURES, "import notes\n", "import notes, orders\n")
    project.replace(FEATURES, "    notes.router,\n", "    notes.router,\n    orders.router,\n")
    return [*traces, Token(FEATURES, "orders.router,", in_python("", "orders.router,"))]


def migration(project: Project) -> Sequence[Trace]:
    path = "migrations/product/p0900_orders.py"
    text = (
        '"""A revision of the team."""\n\nrevision = "p0900"\ndown_revision = "p0001"\n'
        "branch_labels = None\ndepends_on = None\n\n\n"
        'def upgrade() -> None:\n    """Nothing yet."""\n\n\n'
        'def downgrade() -> None:\n    """Nothing yet."""\n'
    )
    project.write(path, text)
    return [whole(path, text)]


def setting_of_a_feature(project: Project) -> Sequence[Trace]:
    path = f"{PRODUCT}/billing/settings.py"
    text = '"""What an operator may set for billing."""\n\nBILLING_CURRENCY = "EUR"\n'
    project.write(f"{PRODUCT}/billing/__init__.py", '"""What customers pay."""\n')
    project.write(path, text)
    return [whole(path, text)]


def middleware(project: Project) -> Sequence[Trace]:
    path = "src/service/main.py"
    project.replace(path, "    return create_app(", "    app = create_app(")
    project.append(path, "    app.add_middleware(GZipMiddleware, minimum_size=4321)\n")
    project.append(path, "    return app\n")
    library = "from starlette.middleware.gzip import GZipMiddleware\n\n"
    project.replace(path, "from service.", f"{library}from service.")
    return [
        Token(path, "minimum_size=4321", in_python("build", "minimum_size=4321")),
        Token(path, "middleware.gzip", in_python("", "middleware.gzip")),
    ]


def shared_fixture(project: Project) -> Sequence[Trace]:
    path = "tests/product/conftest.py"
    project.append(path, "\nTEAM_FIXTURE = True\n")
    return [Token(path, "TEAM_FIXTURE", in_python("", "TEAM_FIXTURE = True"))]


def edited_example(project: Project) -> Sequence[Trace]:
    path = f"{PRODUCT}/notes/application.py"
    added = '    title = title.removeprefix("team-prefix")\n'
    project.write(
        path, re.sub(r"(async def create_note\(.*?:\n)", rf"\1{added}", project.read(path), count=1)
    )
    return [
        Token(path, "team-prefix", in_python("create_note", "team-prefix")),
        whole(path, project.read(path)),
    ]


def edited_model(project: Project) -> Sequence[Trace]:
    path, line = f"{PRODUCT}/notes/models.py", "    title: Mapped[str]\n"
    project.replace(path, line, f"{line}    team_colour: Mapped[str]\n")
    return [
        Token(path, "team_colour", in_python("Note", "team_colour: Mapped[str]")),
        whole(path, project.read(path)),
    ]


def deleted_example(project: Project) -> Sequence[Trace]:
    for folder in EXAMPLE:
        shutil.rmtree(project.folder / folder)
    listed = project.read(FEATURES)
    listed = listed.replace("    notes.router,\n", "").replace("import notes, ", "import ")
    project.write(FEATURES, listed.replace("from service.product import notes\n\n", ""))
    return [*map(Gone, EXAMPLE), whole(FEATURES, project.read(FEATURES))]
