"""`.env.example` and docs/settings.md, written from the settings so that they cannot drift."""

from collections.abc import Iterator
from typing import Any

from pydantic.fields import FieldInfo

from dev.database import ROOT
from service.chassis.settings import Settings

EXAMPLE, PAGE = ROOT / ".env.example", ROOT / "docs" / "settings.md"


def write() -> None:
    EXAMPLE.write_text(example(), "utf-8")
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), "utf-8")


def variables() -> Iterator[tuple[str, str, FieldInfo]]:
    for section, outer in Settings.model_fields.items():
        model: Any = outer.annotation
        for name, field in model.model_fields.items():
            yield section, f"{section}_{name}".upper(), field


def example() -> str:
    lines = ["# Written by `make settings`. A service needs the lines without a leading #."]
    shown = None
    for section, variable, field in variables():
        if section != shown:
            lines += ["", f"# --- {section}"]
            shown = section
        lines += [f"# {field.description}", _assignment(variable, field)]
    return "\n".join(lines) + "\n"


def _assignment(variable: str, field: FieldInfo) -> str:
    if field.is_required():
        return f"{variable}=change-me"
    return f"#{variable}={'' if field.default is None else field.default}"


def page() -> str:
    lines = [
        "# Settings",
        "",
        "Written by `make settings`. Each is an environment variable, or a file of that name in",
        "the folder `SECRETS_DIR` (`/run/secrets`), or, in development, a line in `.env`; the",
        "first wins. In Kubernetes set `enableServiceLinks: false`: its variables look like ours.",
        "A name that is unknown, missing or still a placeholder stops the start, and is named.",
        "",
        "| variable | default | meaning |",
        "|---|---|---|",
    ]
    for _, variable, field in variables():
        default = "**required**" if field.is_required() else f"`{field.default}`"
        default = "" if field.default is None else default
        lines.append(f"| `{variable}` | {default} | {field.description} |")
    return "\n".join(lines) + "\n"
