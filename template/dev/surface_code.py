"""What the code says of itself: routes, ports, ways out and secrets."""

import ast
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from secrets import token_hex
from typing import Any

from fastapi import APIRouter

from dev.database import ROOT
from dev.settings_pages import variables
from service.chassis.app import Service, create_app
from service.chassis.contract.guards import Public, routes_of
from service.chassis.settings import Settings

Row = tuple[str, ...]
SOURCES = ROOT / "src"
# Known to open no connection by themselves. Whatever else is imported is listed as a way out.
QUIET = frozenset(
    ("fastapi", "joserfc", "pydantic", "pydantic_settings", "service", "sqlalchemy", "starlette")
) | {"structlog", "uvicorn"}
LOUD = frozenset(
    ("ftplib", "http.client", "imaplib", "poplib", "smtplib", "socket", "subprocess")
) | {"telnetlib", "urllib.request", "xmlrpc.client"}
CONNECTING = frozenset(
    ("create_async_engine", "create_connection", "create_datagram_endpoint", "create_engine")
) | {"create_subprocess_exec", "create_subprocess_shell", "getaddrinfo", "open_connection"}
LISTENING = frozenset({"create_server", "create_unix_server", "start_server", "start_unix_server"})
SERVERS = frozenset({"granian", "gunicorn", "hypercorn", "socketserver", "uvicorn", "http.server"})


def routes(features: Sequence[APIRouter]) -> set[Row]:
    developing = _routes(features, "development")
    in_production = _routes(features, "production")
    without_accounts = _routes(features, "production", accounts=False)

    def where(route: Row) -> str:
        if route not in in_production:
            return "development only"
        return "everywhere" if route in without_accounts else "with accounts"

    return {(*route, where(route)) for route in in_production | developing}


def _routes(
    features: Sequence[APIRouter], environment: str, *, accounts: bool = True
) -> frozenset[Row]:
    return frozenset(_listed(application(features, environment, accounts=accounts)))


def application(
    features: Sequence[APIRouter], environment: str = "production", *, accounts: bool = True
) -> Service:
    """To ask what it serves; it is connected to nothing."""
    made_up = _made_up()
    changes = {
        "service": made_up.service.model_copy(update={"environment": environment}),
        "accounts": made_up.accounts.model_copy(update={"enabled": accounts}),
    }
    return create_app(made_up.model_copy(update=changes), features)


def _listed(app: Service) -> Iterator[Row]:
    if app.openapi_url:
        yield "GET", f"`{app.openapi_url}`", "public: the routes, for machines"
    for route in routes_of(app):
        access = route.access
        who = type(access).__name__.lower()
        may = f"{who}: {access.reason}" if isinstance(access, Public) else f"`{access}`"
        yield route.method, f"`{route.path}`", may


@cache
def _made_up() -> Settings:
    """Enough to build the application; nothing is connected."""
    sections: dict[str, dict[str, str]] = {}
    for section, variable, field in variables():
        if field.is_required():
            name = variable.lower().removeprefix(f"{section}_")
            sections.setdefault(section, {})[name] = token_hex(32)
    return Settings.model_validate(sections)


def secrets() -> set[Row]:
    return {
        (f"`{variable}`", "required" if field.is_required() else "optional", _said(field))
        for _, variable, field in variables()
        if "SecretStr" in repr(field.annotation)
    }


def ports() -> set[Row]:
    return {
        (f"`{variable}`", f"{field.default} by default", _said(field))
        for _, variable, field in variables()
        if variable.endswith("_PORT")
    }


def _said(field: Any) -> str:
    return str(field.description)


def modules() -> Iterator[tuple[str, ast.Module]]:
    for file in sorted(SOURCES.rglob("*.py")):
        yield _module(file), ast.parse(file.read_text("utf-8"))


def _module(file: Path) -> str:
    parts = file.relative_to(SOURCES).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def ways_out(tree: ast.Module) -> set[str]:
    """Imports and calls by which a module could talk to somebody else."""
    imported = set(_imports(tree))
    foreign = {name.partition(".")[0] for name in imported} - sys.stdlib_module_names
    named = {name.rpartition(".")[2] for name in imported} | set(_attributes(tree))
    loud = {loud for loud in LOUD for name in imported if f"{name}.".startswith(f"{loud}.")}
    return (foreign - QUIET - SERVERS) | loud | (named & CONNECTING)


def listeners(tree: ast.Module) -> set[str]:
    imported = set(_imports(tree))
    named = {name.rpartition(".")[2] for name in imported} | set(_attributes(tree))
    found = {
        server for server in SERVERS for name in imported if f"{name}.".startswith(f"{server}.")
    }
    return found | (named & LISTENING)


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _attributes(tree: ast.Module) -> Iterator[str]:
    return (node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute))
