"""What releases of the template do to the chassis, and where it must arrive."""

import re
from collections.abc import Sequence

from updates.places import Token, Trace, in_python, whole
from updates.projects import Project

CHASSIS = "src/service/chassis"


def chassis_near(template: Project) -> Sequence[Trace]:
    """A line inside the function that the team's seam calls."""
    path, line = f"{CHASSIS}/app.py", "    configure_logs(settings)\n"
    added = '    assert features is not None, "synthetic_near"\n'
    template.replace(f"template/{path}", line, line + added)
    return [Token(path, "synthetic_near", in_python("create_app", "synthetic_near"))]


def chassis_far(template: Project) -> Sequence[Trace]:
    path = f"{CHASSIS}/settings.py"
    template.append(f"template/{path}", '\n\nSYNTHETIC_FAR = "synthetic_far"\n')
    return [Token(path, "synthetic_far", in_python("", "synthetic_far"))]


def chassis_module(template: Project) -> Sequence[Trace]:
    path = f"{CHASSIS}/application/synthetic.py"
    text = '"""A synthetic part."""\n\nPART = "synthetic_part"\n'
    template.write(f"template/{path}", text)
    return [whole(path, text)]


def setting(template: Project) -> Sequence[Trace]:
    path, line = f"{CHASSIS}/sections.py", "class TelemetrySettings(Section):\n"
    added = "synthetic_ratio: float"
    field = f'    {added} = Field(1, description="Synthetic.")\n'
    template.replace(f"template/{path}", line, line + field)
    return [Token(path, added, in_python("TelemetrySettings", added))]


def chassis_migration(template: Project) -> Sequence[Trace]:
    path = "migrations/chassis/c9999_synthetic.py"
    text = (
        '"""A synthetic revision."""\n\nrevision = "c9999"\n'
        f'down_revision = "{_newest_revision(template)}"\n'
        "branch_labels = None\ndepends_on = None\n\n\n"
        'def upgrade() -> None:\n    """Nothing."""\n\n\n'
        'def downgrade() -> None:\n    """Nothing."""\n'
    )
    template.write(f"template/{path}", text)
    return [whole(path, text)]


def _newest_revision(template: Project) -> str:
    files = sorted((template.folder / "template/migrations/chassis").glob("c*.py"))
    named = re.search(r'^revision\b.*= "(\w+)"', files[-1].read_text("utf-8"), re.MULTILINE)
    assert named, f"{files[-1]} names no revision"
    return named[1]
