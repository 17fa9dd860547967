"""Who owns a path of the service: the generated project's own rules, read from the template."""

import importlib.util
from typing import Any

from updates.repositories import REPOSITORY

SERVICE = REPOSITORY / "template"


def _load() -> Any:
    """The module that every service carries; by its file, for `dev` is the service's package."""
    path = SERVICE / "dev" / "template_ownership.py"
    spec = importlib.util.spec_from_file_location("template_ownership", path)
    assert spec, path
    assert spec.loader, path
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Ownership(SERVICE)


OWNERSHIP: Any = _load()


def owner(path: str) -> str | None:
    found: str | None = OWNERSHIP.of(path)
    return found


def is_theirs(path: str) -> bool:
    """A file that an update leaves to the team."""
    return owner(path) in {"seam", "once", "product"}
