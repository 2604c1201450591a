"""The walls between the parts: who may import what, and that the drawn tree is the real one."""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Final

import pytest

import shared
from tests import tree

ROOT: Final = Path(__file__).parents[2]
HEAVY: Final = {"torch", "torchaudio"}
FORBIDDEN: Final = {
    "gateway": {*HEAVY, "workers"},
    "shared": {*HEAVY, "workers", "gateway"},
    "workers": {"gateway"},
    "workers/runtime": {
        *HEAVY,
        "workers.models.layers.transformer",
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
# Decisions, and the words in which they speak. docs/architecture.md marks more modules as pure.
PURE: Final = {
    "gateway.call.playout",
    "gateway.call.uplink",
    "gateway.protocol.audio_format",
    "gateway.protocol.client_messages",
    "gateway.live.dialect",
    "gateway.realtime.dialect",
    "gateway.realtime.intake",
    "gateway.protocol.errors",
    "gateway.protocol.frames",
    "gateway.protocol.server_messages",
    "shared.audio",
    "shared.errors",
    "shared.g711",
    "shared.log.keys",
    "shared.log.meta",
    "shared.log.records",
    "shared.log.writes",
    "shared.modes",
    "shared.resampler",
    "shared.voices",
    "workers.audio.energy_vad",
    "workers.runtime.conversation.conversation",
    "workers.runtime.conversation.turn_taking",
    "workers.runtime.scheduler",
}
# They use the event loop, and load no other I/O.
EVENT_LOOP_ONLY: Final = {
    "gateway.call.connected_sessions",
    "gateway.call.outbox",
    "gateway.call.pacer",
    "gateway.call.session",
    "gateway.realtime.session",
    "gateway.socket.request_deadlines",
    "gateway.waiting",
}
LIGHT: Final = {"gateway.app", "workers.runtime.loop"}
MAX_FUNCTION_LINES: Final = 40
MAX_FILE_LINES: Final = 400


@cache
def modules() -> Mapping[str, Path]:
    """Every module and package of the product, and its file."""
    files = sorted(path for part in tree.PARTS for path in (ROOT / part).rglob("*.py"))
    return {
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file
        for file in files
    }


@cache
def product_and_tests() -> Mapping[str, Path]:
    """The same of the product and its tests."""
    files = (ROOT / "tests").rglob("*.py")
    return {**modules(), **{".".join(f.relative_to(ROOT).with_suffix("").parts): f for f in files}}


@cache
def imports(path: Path) -> tuple[str, ...]:
    """Every module that a file imports, wherever in the file and for whatever purpose."""

    def found() -> Iterator[str]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    inner = f"{node.module}.{alias.name}"
                    yield inner if inner in product_and_tests() else node.module

    return tuple(found())


def within(module: str, forbidden: set[str]) -> bool:
    return any(module == name or module.startswith(name + ".") for name in forbidden)


def pure_modules() -> set[str]:
    lines = tree.picture().values()
    marked = {line.path.removesuffix(".py").replace("/", ".") for line in lines if line.pure}
    return marked | PURE


@pytest.fixture(scope="module")
def loaded() -> Mapping[str, list[str]]:
    """What the import of each pure or light module loads, of what `import_closures` watches."""
    line = [
        sys.executable,
        "-m",
        "tests.unit.import_closures",
        *sorted(pure_modules() | LIGHT | EVENT_LOOP_ONLY),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(line, cwd=ROOT, env=environment, check=True, capture_output=True)
    return dict(json.loads(done.stdout))


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


@pytest.mark.parametrize("module", sorted(pure_modules()))
def test_a_pure_module_loads_no_io(module: str, loaded: Mapping[str, list[str]]) -> None:
    assert loaded[module] == []


@pytest.mark.parametrize("module", sorted(pure_modules()))
def test_a_pure_module_awaits_nothing(module: str) -> None:
    nodes = ast.walk(ast.parse(modules()[module].read_text()))
    assert not [node for node in nodes if isinstance(node, ast.AsyncFunctionDef | ast.Await)]


@pytest.mark.parametrize("module", sorted(EVENT_LOOP_ONLY))
def test_a_module_of_the_event_loop_loads_no_other_io(
    module: str, loaded: Mapping[str, list[str]]
) -> None:
    assert loaded[module] == ["asyncio"]


@pytest.mark.parametrize("module", sorted(LIGHT))
def test_importing_a_light_part_loads_no_torch(
    module: str, loaded: Mapping[str, list[str]]
) -> None:
    assert not HEAVY & set(loaded[module])


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports for type checkers and inside functions count, since they hide a misplaced wall."""
    graph = {
        name: {other for other in imports(file) if other in product_and_tests() and other != name}
        for name, file in product_and_tests().items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail("a circle of imports: " + " <- ".join(error.args[1]))


def test_the_architecture_draws_the_tree() -> None:
    drawn, real = set(tree.picture()), set(tree.tree())
    assert not real - drawn, "not drawn in docs/architecture.md: run `python -m tests.tree`"
    gone = {path for path in drawn - real if not (path[-1] == "/" and (ROOT / path).is_dir())}
    assert not gone, "drawn in docs/architecture.md and not there: run `python -m tests.tree`"


def test_functions_are_short() -> None:
    long = [
        f"{name}.{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for name, file in product_and_tests().items()
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno
        if node.end_lineno - node.lineno >= MAX_FUNCTION_LINES
    ]
    assert not long


def test_files_are_short() -> None:
    lengths = {name: len(file.read_text().splitlines()) for name, file in modules().items()}
    assert not {name: length for name, length in lengths.items() if length > MAX_FILE_LINES}


def test_shared_is_ours() -> None:
    assert Path(shared.__file__ or "").parent == ROOT / "shared"
