"""docs/reference, written from the code so that it cannot drift: `make reference`."""

import configparser
import re
from collections.abc import Sequence
from pathlib import Path

from rendering import ROOT, TEMPLATE, questions

PAGES = ROOT / "docs" / "reference"
NOTICE = "Written by `make reference`."


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def questions_page() -> str:
    rows: list[tuple[str, ...]] = []
    for name, said in questions().items():
        values = ", ".join(f"`{value}`" for value in said.get("choices", {}).values())
        default = f"`{said['default']}`"
        rows.append((f"`{name}`", said["help"], values or said["type"], default))
    head = ("question", "what it asks", "values", "default")
    later = "An answer is changed later as docs/template.md of the service says."
    return f"# Questions\n\n{NOTICE} {later}\n\n{table(head, rows)}\n"


def settings_page() -> str:
    page = (TEMPLATE / "docs" / "settings.md").read_text("utf-8")
    return page.replace("Written by `make settings`.", f"{NOTICE}")


def targets(makefile: Path) -> list[tuple[str, ...]]:
    found = re.findall(r"^([a-z-]+):.*?## (.*)$", makefile.read_text("utf-8"), re.MULTILINE)
    return [(f"`make {name}`", said) for name, said in found]


def commands_page() -> str:
    head = ("command", "what it does")
    return (
        f"# Commands\n\n{NOTICE}\n\n## In a generated service\n\n"
        f"{table(head, targets(TEMPLATE / 'Makefile'))}\n\n## In this repository\n\n"
        f"{table(head, targets(ROOT / 'Makefile'))}\n"
    )


def contracts_page() -> str:
    parser = configparser.ConfigParser()
    parser.read(TEMPLATE / ".importlinter", "utf-8")
    rows = [
        (section["name"], section["type"], section["broken_contract_guidance"])
        for title, section in parser.items()
        if title.startswith("importlinter:contract:")
    ]
    head = ("contract", "kind", "what to do when it breaks")
    return f"# Import contracts\n\n{NOTICE}\n\n{table(head, rows)}\n"


def pages() -> dict[Path, str]:
    return {
        PAGES / "questions.md": questions_page(),
        PAGES / "settings.md": settings_page(),
        PAGES / "commands.md": commands_page(),
        PAGES / "contracts.md": contracts_page(),
    }


if __name__ == "__main__":
    for file, text in pages().items():
        file.write_text(text, "utf-8")
