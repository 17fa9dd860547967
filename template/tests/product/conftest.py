"""Tests of a feature whose folder is gone are gone with it."""

from pathlib import Path

FEATURES = Path(__file__).parents[2] / "src" / "service" / "product"

collect_ignore = [
    folder.name
    for folder in Path(__file__).parent.iterdir()
    if folder.is_dir() and not (FEATURES / folder.name / "__init__.py").exists()
]
