"""The import contracts are kept, and each would notice the violation that it is for."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SLICE = '"""A second feature."""\n'


def lint(root: Path) -> tuple[int, str]:
    call = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"]
    done = subprocess.run(
        [*call, "--config", ".importlinter", "--no-cache"],
        cwd=root,
        env={"PYTHONPATH": "src", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", tmp_path)
    for feature in ("first", "second"):
        folder = tmp_path / "src" / "service" / "product" / feature
        folder.mkdir()
        for module in ("__init__", "contract", "application", "models"):
            (folder / f"{module}.py").write_text(SLICE)
    return tmp_path


def test_every_contract_is_kept(copy: Path) -> None:
    code, said = lint(copy)
    assert code == 0, said
    assert "0 broken" in said


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("chassis/app", "import service.product", "Product stands on chassis"),
        ("chassis/errors", "import service.chassis.contract.pages", "Chassis: four layers"),
        ("chassis/utils", "", "Chassis: four layers"),
        ("product/second/models", "import service.product.second.contract", "Every feature"),
        ("product/second/helpers", "", "Every feature"),
        ("product/second/application", "import service.product.first.models", "do not know"),
        ("product/second/application", "import fastapi", "HTTP stays in the contract"),
        ("chassis/application/tables", "import starlette", "HTTP stays in the contract"),
        ("product/second/contract", "import sqlalchemy", "SQL stays in the application"),
        (
            "product/second/application",
            "import service.chassis.application.database",
            "Only a tenancy opens a session",
        ),
    ],
)
def test_a_violation_is_named_with_its_fix(
    copy: Path, module: str, line: str, contract: str
) -> None:
    file = copy / "src" / "service" / f"{module}.py"
    before = file.read_text("utf-8") if file.exists() else '"""New."""\n'
    file.write_text(f"{before}\n{line}\n")
    code, said = lint(copy)
    assert code == 1
    broken = [row for row in said.splitlines() if row.rstrip().endswith("BROKEN")]
    assert any(contract in row for row in broken), said
