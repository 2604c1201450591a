"""Which processes run on which core, and what CPU time each has used (Linux)."""

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

NS_PER_MS: Final = 1e6
MS_PER_TICK: Final = 1_000 / os.sysconf("SC_CLK_TCK")
# Of a line of /proc/stat: user, nice, system, irq, softirq and steal; not idle, not waiting.
_BUSY: Final = (1, 2, 3, 6, 7, 8)


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
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread that has just ended
            spent += int((task / "schedstat").read_text().split()[0])
    return spent / NS_PER_MS


def core_ms(core: int) -> float:
    """What a core has worked so far, for whomever, in ms."""
    for line in Path("/proc/stat").read_text().splitlines():
        fields = line.split()
        if fields[0] == f"cpu{core}":
            return sum(int(fields[at]) for at in _BUSY) * MS_PER_TICK
    return 0.0


@dataclass(frozen=True, slots=True)
class Spent:
    """What a span of time cost."""

    cpu: dict[str, float]  # CPU ms a second of each process
    others: float  # share of the core that was used, but not by these


class Usage:
    """CPU of named processes on one core over a span of time."""

    def __init__(self, pids: Mapping[str, int], core: int) -> None:
        self._pids = pids
        self._core = core
        self.begin()

    def begin(self) -> None:
        """From now on."""
        self._at = time.monotonic()
        self._core_before = core_ms(self._core)
        self._before = {name: cpu_ms(pid) for name, pid in self._pids.items()}

    def end(self) -> Spent:
        """What was used since then. Raises OSError when one of the processes is gone."""
        seconds = time.monotonic() - self._at
        used = {name: cpu_ms(pid) - self._before[name] for name, pid in self._pids.items()}
        others = core_ms(self._core) - self._core_before - sum(used.values())
        share = min(1.0, max(0.0, others / (seconds * 1_000)))
        return Spent({name: ms / seconds for name, ms in used.items()}, share)


def describe() -> str:
    """This machine's CPU, as the kernel names it."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else 'unknown CPU'}, {os.cpu_count()} cores"
