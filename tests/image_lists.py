"""The packages of each image: deploy/images/*.txt, made from pyproject.toml and what is installed.

`python -m tests.image_lists` writes them; their test fails until you do.
"""

import tomllib
from collections.abc import Iterable, Mapping
from importlib.metadata import requires
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).parents[1]
IMAGES: Final = ROOT / "deploy/images"
PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
HEAD: Final = "# Written by `python -m tests.image_lists`; versions come from constraints.txt."
GATEWAY_EXTRAS: Final = ("gateway", "opus", "otel")
WORKER_EXTRAS: Final = ("worker", "cascade", "moshi", "otel", "silero")
# Only what compiles kernels or C++ needs them, which no engine does; triton is 640 MB.
LEFT_OUT: Final = {"setuptools", "triton"}
# The images' Python, so that the lists are the same on every machine. On Debian's older one
# redis-py needs one package more.
PYTHON: Final = {"python_version": "3.11", "python_full_version": "3.11.14"}
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
            if not more.marker or any(more.marker.evaluate({**PYTHON, "extra": e}) for e in extras):
                todo.append(more)
    return {name.partition("[")[0] for name in found} - LEFT_OUT


def of_extras(*extras: str) -> list[str]:
    """The requirements of our base and of these extras."""
    optional = PROJECT["optional-dependencies"]
    return [*PROJECT["dependencies"], *(line for extra in extras for line in optional[extra])]


def for_gpu(name: str) -> bool:
    """Whether a package holds only NVIDIA's libraries."""
    return name.startswith(("nvidia-", "cuda-"))


def packaged_weights() -> list[str]:
    """The packages that the Makefile installs without their dependencies, for their weights."""
    lines = (ROOT / "Makefile").read_text().splitlines()
    named = (line.split(" := ") for line in lines if " := " in line)
    return [value for name, value in named if name in ("LANGUAGE_MODEL", "SECOND_LISTENER")]


def lists() -> Mapping[str, list[str]]:
    """The packages of each file; a name without a version has the one of constraints.txt."""
    worker = sorted(needed([*of_extras(*WORKER_EXTRAS), *CLIENT]))
    return {
        "gateway.txt": [*sorted(needed(of_extras(*GATEWAY_EXTRAS))), OLD_PYTHON],
        "worker.txt": [*(n for n in worker if not for_gpu(n)), *packaged_weights(), OLD_PYTHON],
        "cuda.txt": list(filter(for_gpu, worker)),
    }


def text(packages: Iterable[str]) -> str:
    """A list as its file holds it."""
    return "\n".join([HEAD, *packages, ""])


def main() -> None:
    """Write every list."""
    for name, packages in lists().items():
        (IMAGES / name).write_text(text(packages))


if __name__ == "__main__":
    main()
