"""The lists of packages in deploy/images/ name what pyproject.toml needs, and nothing else."""

import tomllib
from collections.abc import Iterable
from importlib.metadata import requires
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).parents[3]
IMAGES: Final = ROOT / "deploy/images"
PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
WORKER_EXTRAS: Final = ("worker", "cascade", "silero")
# Only what compiles kernels or C++ needs them, which no engine does; triton is 640 MB.
LEFT_OUT: Final = {"setuptools", "triton"}
# redis-py needs it on Debian's Python alone.
OLD_PYTHON: Final = 'async-timeout==5.0.1; python_full_version < "3.11.3"'
# `python -m client.talk` reads a WAV file and calls a gateway.
CLIENT: Final = ("soundfile", "websockets>=14")


def needed(lines: Iterable[str]) -> set[str]:
    """Every package that these requirements bring, by what is installed here."""
    found: set[str] = set()
    todo = [Requirement(line) for line in lines]
    while todo:
        requirement = todo.pop()
        name = canonicalize_name(requirement.name)
        asked = {f"{name}[{extra}]" for extra in ("", *requirement.extras)}
        if asked <= found:
            continue
        found |= asked
        for line in requires(name) or ():
            more = Requirement(line)
            extras = ("", *requirement.extras)
            if not more.marker or any(more.marker.evaluate({"extra": e}) for e in extras):
                todo.append(more)
    return {name.partition("[")[0] for name in found} - LEFT_OUT


def listed(name: str) -> list[str]:
    """The packages of one list."""
    lines = (IMAGES / name).read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def of_extras(*extras: str) -> list[str]:
    """The requirements of our base and of these extras."""
    optional = PROJECT["optional-dependencies"]
    return [*PROJECT["dependencies"], *(line for extra in extras for line in optional[extra])]


def for_gpu(name: str) -> bool:
    """Whether a package holds only NVIDIA's libraries."""
    return name.startswith(("nvidia-", "cuda-"))


def test_the_gateways_list_is_what_its_extras_need() -> None:
    assert listed("gateway.txt") == [*sorted(needed(of_extras("gateway", "opus"))), OLD_PYTHON]


def test_the_workers_list_is_what_its_extras_need_without_cuda() -> None:
    names = needed([*of_extras(*WORKER_EXTRAS), *CLIENT])
    model = next(
        line.partition(":= ")[2]
        for line in (ROOT / "Makefile").read_text().splitlines()
        if line.startswith("LANGUAGE_MODEL")
    )
    assert listed("worker.txt") == [*sorted(n for n in names if not for_gpu(n)), model, OLD_PYTHON]


def test_the_gpus_list_is_the_rest() -> None:
    names = needed(of_extras(*WORKER_EXTRAS))
    assert listed("cuda.txt") == sorted(filter(for_gpu, names))
