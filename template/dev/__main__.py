"""The commands behind the Makefile: `python -m dev <command>`."""

import argparse
import sys
from collections.abc import Callable
from importlib import import_module

# Imported when asked for: `make token` should not wait for Alembic.
COMMANDS = {
    "serve": ("dev.serve", "serve", ()),
    "work": ("dev.work", "serve_jobs", ()),
    "token": ("dev.tokens", "token", ("--tenant", "--role")),
    "migration": ("dev.migrations", "migration", ("message",)),
    "migrate": ("dev.migrations", "migrate", ()),
    "squawk": ("dev.migrations", "squawk", ()),
    "imports": ("dev.checks", "imports", ()),
    "workflows": ("dev.checks", "workflows", ()),
    "audit": ("dev.checks", "audit", ()),
    "cases": ("dev.cases", "write", ()),
    "asvs": ("dev.asvs", "write", ()),
    "surface": ("dev.surface", "write", ()),
    "contract": ("dev.contract", "write", ("--breaking",)),
    "contract-diff": ("dev.contract", "diff", ("--base",)),
    "settings": ("dev.settings_pages", "write", ()),
    "template-update": ("dev.template", "update", ()),
    "template-check": ("dev.template", "check", ()),
    "template-drift": ("dev.template", "drift", ()),
}


def main(arguments: list[str]) -> int | str:
    parser = argparse.ArgumentParser(prog="python -m dev")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (_, _, parameters) in COMMANDS.items():
        command = commands.add_parser(name)
        for parameter in parameters:
            command.add_argument(parameter)
        if name == "template-update":
            command.add_argument("--vcs-ref", default=None)
    values = vars(parser.parse_args(arguments))
    module, function, _ = COMMANDS[values.pop("command")]
    run: Callable[..., int | str | None] = getattr(import_module(module), function)
    return run(**values) or 0


if __name__ == "__main__":
    from dev.errors import DevError

    try:
        sys.exit(main(sys.argv[1:]))
    except DevError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
