"""An environment for each SDK, with pinned versions, in var/sdk: made on first use."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tests.e2e.launcher import ROOT

HERE: Final = Path(__file__).parent
ENVIRONMENTS: Final = ROOT / "var" / "sdk"
INSTALL_WITHIN_S: Final = 600
SHARED: Final = {"openai": "agents"}  # openai-agents installs openai too


class NoRegistry(Exception):
    """The packages of a proof cannot be installed here."""


def run(line: Sequence[str], within_s: float, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command; its output."""
    return subprocess.run(
        line, timeout=within_s, capture_output=True, text=True, check=False, **options
    )


def python_of(name: str) -> str:
    """The interpreter of an SDK's environment. Raises NoRegistry."""
    name = SHARED.get(name, name)
    folder = ENVIRONMENTS / name
    wanted = (HERE / f"requirements-{name}.txt").read_text()
    stamp = folder / "made"
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        _install([sys.executable, "-m", "venv", str(folder)], ROOT)
        line = [str(folder / "bin" / "pip"), "install", "--quiet", "-r"]
        _install([*line, str(HERE / f"requirements-{name}.txt")], ROOT)
        stamp.write_text(wanted)
    return str(folder / "bin" / "python")


def node_folder() -> Path:
    """The folder with node's packages, for all scripts of node. Raises NoRegistry."""
    folder = ENVIRONMENTS / "node"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = (HERE / "package-lock.json").read_text()
    stamp = folder / "made"
    if not stamp.exists() or stamp.read_text() != wanted:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder)
        if shutil.which("npm") is None:
            raise NoRegistry("npm is not installed")
        _install(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], folder)
        stamp.write_text(wanted)
    return folder


def _install(line: Sequence[str], folder: Path) -> None:
    try:
        done = run(line, INSTALL_WITHIN_S, cwd=folder)
    except subprocess.TimeoutExpired as error:
        raise NoRegistry(str(error)) from error
    if done.returncode:
        raise NoRegistry(done.stderr.strip()[-300:])
