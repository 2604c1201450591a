"""Shift the wall clock of a process: a shim over libc reads the shift from a file."""

import shutil
import struct
import subprocess
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).with_suffix(".c")
SHIFT: Final = struct.Struct("q")  # seconds


def missing() -> str:
    """Why clocks cannot be shifted here; "" if they can."""
    return "" if shutil.which("cc") else "no C compiler (cc)"


class Clocks:
    """One compiled shim, and a shift file for each process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shim = folder / "clock.so"
        line = ["cc", "-shared", "-fPIC", "-O2", "-o", str(self._shim), str(SOURCE)]
        subprocess.run(line, check=True)

    def environ(self, name: str) -> dict[str, str]:
        """The environment variables with which a process must start so that its clock can jump."""
        if not self._file(name).exists():
            self.shift(name, 0)
        return {"LD_PRELOAD": str(self._shim), "CLOCK_SHIFT": str(self._file(name))}

    def shift(self, name: str, seconds: int) -> None:
        """Shift this process's wall clock from now on."""
        with self._file(name).open("r+b" if self._file(name).exists() else "wb") as file:
            file.write(SHIFT.pack(seconds))

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.clock"
