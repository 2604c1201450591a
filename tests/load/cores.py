"""Which processes run on which core, and what CPU time each has used (Linux)."""

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

NS_PER_MS: Final = 1e6


@dataclass(frozen=True, slots=True)
class Cores:
    """The whole server side runs on one, the load on the other: then neither hides the other's."""

    server: int
    load: int

    @classmethod
    def of_machine(cls) -> "Cores":
        """The first and the last core that we may use; the same one where there is only one."""
        allowed = sorted(os.sched_getaffinity(0))
        return cls(allowed[0], allowed[-1])


def cpu_ms(pid: int) -> float:
    """CPU time of a process and its threads so far, in ms, to the nanosecond of the scheduler."""
    spent = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError):  # a thread that has just ended
            spent += int((task / "schedstat").read_text().split()[0])
    return spent / NS_PER_MS


class Usage:
    """CPU of named processes over a span of time."""

    def __init__(self, pids: dict[str, int]) -> None:
        self._pids = pids
        self.begin()

    def begin(self) -> None:
        """From now on."""
        self._at = time.monotonic()
        self._before = {name: cpu_ms(pid) for name, pid in self._pids.items()}

    def ms_per_s(self) -> dict[str, float]:
        """CPU ms that each has used a second since then."""
        seconds = time.monotonic() - self._at
        return {
            name: (cpu_ms(pid) - self._before[name]) / seconds for name, pid in self._pids.items()
        }


def describe() -> str:
    """This machine's CPU, as the kernel names it."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else 'unknown CPU'}, {os.cpu_count()} cores"
