"""Choose the cores of server and load, and measure the CPU time of processes (Linux)."""

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

NS_PER_MS: Final = 1e6
MS_PER_TICK: Final = 1_000 / os.sysconf("SC_CLK_TCK")
# Fields of a /proc/stat line: user, nice, system, irq, softirq and steal; not idle, not iowait.
_BUSY: Final = (1, 2, 3, 6, 7, 8)


@dataclass(frozen=True, slots=True)
class Cores:
    """The core of the server side and the core of the load, so that neither slows the other."""

    server: int
    load: int

    @classmethod
    def of_machine(cls) -> "Cores":
        """The first and the last core that this process may use; perhaps the same one."""
        allowed = sorted(os.sched_getaffinity(0))
        return cls(allowed[0], allowed[-1])


def cpu_ms(pid: int) -> float:
    """The CPU time of a process and its threads so far, in ms, as the scheduler counts it."""
    spent = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # the thread has just ended
            spent += int((task / "schedstat").read_text().split()[0])
    return spent / NS_PER_MS


def core_ms(core: int) -> float:
    """The busy time of a core so far, for all programs, in ms."""
    for line in Path("/proc/stat").read_text().splitlines():
        fields = line.split()
        if fields[0] == f"cpu{core}":
            return sum(int(fields[at]) for at in _BUSY) * MS_PER_TICK
    return 0.0


@dataclass(frozen=True, slots=True)
class CpuTime:
    """The CPU time that a span of time cost."""

    cpu: dict[str, float]  # ms a second of each process
    others: float  # the share of the core that other programs used


class CpuMeter:
    """Measures the CPU time of named processes on one core."""

    def __init__(self, pids: Mapping[str, int], core: int) -> None:
        self._pids = pids
        self._core = core
        self.start()

    def start(self) -> None:
        """Measure from now on."""
        self._at = time.monotonic()
        self._core_before = core_ms(self._core)
        self._before = {name: cpu_ms(pid) for name, pid in self._pids.items()}

    def stop(self) -> CpuTime:
        """The CPU time since the start. Raises OSError when a process has died."""
        seconds = time.monotonic() - self._at
        used = {name: cpu_ms(pid) - self._before[name] for name, pid in self._pids.items()}
        others = core_ms(self._core) - self._core_before - sum(used.values())
        share = min(1.0, max(0.0, others / (seconds * 1_000)))
        return CpuTime({name: ms / seconds for name, ms in used.items()}, share)


def describe() -> str:
    """The kernel's name of this machine's CPU, and the number of cores."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else 'unknown CPU'}, {os.cpu_count()} cores"
