"""The walls between the parts, read off the imports."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import shared

ROOT = Path(__file__).parents[2]
HEAVY = {"torch", "torchaudio"}
FORBIDDEN = {
    "gateway": {*HEAVY, "workers"},
    "shared": {*HEAVY, "workers", "gateway"},
    "workers": {"gateway"},
    "workers/runtime": {
        *HEAVY,
        "workers.models.layers",
        "workers.training",
        "workers.evaluation",
        "gateway",
    },
    "workers/models": {"workers.runtime", "workers.training", "workers.evaluation", "redis"},
    "workers/engines": {"workers.runtime", "workers.training", "workers.evaluation", "redis"},
    "workers/training": {"workers.runtime", "workers.evaluation", "redis"},
    "workers/evaluation": {
        "workers.training.metrics",
        "workers.training.samples",
        "workers.training.stages",
        "workers.training.tuning",
        "redis",
    },
}
# Decisions: pure, so that they are tested without I/O and read without a server in mind.
PURE = {
    "gateway/protocol/messages.py",
    "gateway/call/uplink.py",
    "gateway/call/playout.py",
    "workers/runtime/conversation/conversation.py",
    "workers/runtime/conversation/dialogue.py",
    "workers/runtime/scheduler.py",
    "workers/audio/energy_vad.py",
}


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def within(module: str, forbidden: set[str]) -> bool:
    return any(module == name or module.startswith(name + ".") for name in forbidden)


@pytest.mark.parametrize("part", sorted(FORBIDDEN))
def test_a_part_imports_nothing_beyond_its_walls(part: str) -> None:
    files = sorted((ROOT / part).rglob("*.py"))
    assert files
    broken = [
        f"{path.relative_to(ROOT)}: {module}"
        for path in files
        for module in imports(path)
        if within(module, FORBIDDEN[part])
    ]
    assert not broken


@pytest.mark.parametrize("name", sorted(PURE))
def test_decisions_are_pure(name: str) -> None:
    path = ROOT / name
    tree = ast.parse(path.read_text())
    assert not [m for m in imports(path) if within(m, {*HEAVY, "redis", "asyncio", "starlette"})]
    assert not [
        node for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef | ast.Await)
    ]


@pytest.mark.parametrize("module", ["gateway.app", "workers.runtime.loop"])
def test_importing_a_light_part_loads_no_torch(module: str) -> None:
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_shared_is_ours() -> None:
    assert Path(shared.__file__ or "").parent == ROOT / "shared"
