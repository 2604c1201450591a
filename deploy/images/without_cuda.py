"""Lets PyTorch from PyPI load without NVIDIA's 3.3 GB of libraries, for an image that has no GPU.

PyTorch's CUDA build links these libraries, so `import torch` fails where they are left out. This
makes one small library with every function that PyTorch's files ask of them. Each function only
returns 100, CUDA's error `no device`. So `torch.cuda.is_available()` is False, and the CPU's
code is untouched. Run by worker-cpu.Containerfile; needs `nm`, `readelf`, `as` and `ld`.
"""

import platform
import re
import subprocess
import sys
import sysconfig
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Final

NAME: Final = "libwithout_cuda.so"
NO_DEVICE: Final = {
    "x86_64": "mov $100, %eax\nret",
    "aarch64": "mov w0, #100\nret",
}
_NEEDED: Final = re.compile(r"\(NEEDED\).*\[(lib(?:cu|nccl|nv)[\w.]*)\]")
_VERSIONED: Final = re.compile(r" U (\w+)@((?:lib(?:cu|nccl|nv)|NVSHMEM)[\w.]*)$", re.MULTILINE)
_PLAIN: Final = re.compile(r" U ((?:cuFile|cu[a-z]+[A-Z]|nccl|nvshmem)\w*)$", re.MULTILINE)


def output(*command: str | Path) -> str:
    """What a command writes."""
    # Fixed commands; their arguments are paths.
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603


def wanted(libraries: Iterable[Path]) -> tuple[set[str], dict[str, set[str]]]:
    """The names of the libraries that are missing; their functions by symbol version."""
    names: set[str] = set()
    functions: dict[str, set[str]] = defaultdict(set)
    for library in libraries:
        names.update(_NEEDED.findall(output("readelf", "-d", library)))
        symbols = output("nm", "-D", "--undefined-only", library)
        for function, version in _VERSIONED.findall(symbols):
            functions[version].add(function)
        functions["WITHOUT_VERSION"].update(_PLAIN.findall(symbols))
    return names, functions


def link(functions: dict[str, set[str]], target: Path) -> None:
    """Write a library in which all these functions are the same two instructions."""
    every = sorted(set().union(*functions.values()))
    code = "".join(f".globl {name}\n.type {name}, %function\n{name}:\n" for name in every)
    versions = "".join(
        f"{version} {{ global: {'; '.join(sorted(names))}; }};\n"
        for version, names in sorted(functions.items())
        if names
    )
    with tempfile.TemporaryDirectory() as folder:
        source, script, made = (Path(folder, name) for name in ("a.s", "a.map", "a.o"))
        source.write_text(
            f'.text\n{code}{NO_DEVICE[platform.machine()]}\n.section .note.GNU-stack,"",%progbits\n'
        )
        script.write_text(versions)
        output("as", "-o", made, source)
        output("ld", "-shared", "-soname", NAME, "--version-script", script, "-o", target, made)


def main() -> None:
    """Write the library beside PyTorch's own; give it the missing libraries' names."""
    folder = Path(sys.argv[1] if sys.argv[1:] else sysconfig.get_path("purelib"), "torch", "lib")
    here = {path.name for path in folder.iterdir()}
    names, functions = wanted(sorted(folder.glob("lib*.so")))
    link(functions, folder / NAME)
    for name in sorted(names - here):
        (folder / name).symlink_to(NAME)


if __name__ == "__main__":
    main()
