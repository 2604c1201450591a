"""How one echo server does as its callers grow, until one of the promises breaks."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final, cast

from tests.load.cores import Cores, Usage
from tests.load.servers import ROOT, Serving, environment

# What a rung must hold to count: the added latency's p95, and every frame, once and in order.
LIMIT_P95_MS: Final = 100.0
BISECTIONS: Final = 2

Start = Callable[[int, int], AbstractContextManager[Serving]]


@dataclass(frozen=True, slots=True)
class Rung:
    """One server under one number of callers; times in ms."""

    callers: int
    latency_p50: float
    latency_p95: float
    latency_p99: float
    lateness_p99: float
    lateness_max: float
    lost: int  # frames lost, doubled, reordered, foreign, or of calls that broke off
    behind_p99: float  # the generator's own lateness
    cpu: dict[str, float]  # CPU ms a second of each process of the server

    @property
    def cpu_per_caller(self) -> float:
        """CPU ms a second that one caller costs the whole server side."""
        return sum(self.cpu.values()) / self.callers

    @property
    def load(self) -> float:
        """The share of its core that the server used."""
        return sum(self.cpu.values()) / 1_000

    @property
    def holds(self) -> bool:
        """Whether the promises held."""
        return self.lost == 0 and self.latency_p95 < LIMIT_P95_MS


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value below which that share of the sorted values lies; infinity of none."""
    return ordered[int(share * (len(ordered) - 1))] if ordered else float("inf")


def climb_one(start: Start, callers: int, seconds: float, cores: Cores) -> Rung:
    """A fresh server under so many callers for so long."""
    with start(cores.server, callers) as serving:
        found, cpu = _crowd(serving, callers, seconds, cores)
    latency, lateness = found["latency_ms"], found["lateness_ms"]
    return Rung(
        callers=callers,
        latency_p50=percentile(latency, 0.5),
        latency_p95=percentile(latency, 0.95),
        latency_p99=percentile(latency, 0.99),
        lateness_p99=percentile(lateness, 0.99),
        lateness_max=percentile(lateness, 1.0),
        lost=found["lost"] + found["wrong"] + found["closed"],
        behind_p99=found["behind_p99_ms"],
        cpu=cpu,
    )


def climb(start: Start, sizes: Sequence[int], seconds: float, cores: Cores) -> list[Rung]:
    """Rungs in turn up to the first that does not hold, then between it and the last that did."""
    rungs: list[Rung] = []
    for callers in sizes:
        rungs.append(climb_one(start, callers, seconds, cores))
        if not rungs[-1].holds:
            break
    for _ in range(BISECTIONS):
        low, high = largest(rungs), min((r.callers for r in rungs if not r.holds), default=0)
        if high - low <= max(5, low // 10):
            break
        rungs.append(climb_one(start, (low + high) // 2, seconds, cores))
    return sorted(rungs, key=lambda rung: rung.callers)


def largest(rungs: Sequence[Rung]) -> int:
    """The most callers at which the promises held, with all smaller numbers too; 0 for none."""
    failed = min((r.callers for r in rungs if not r.holds), default=sys.maxsize)
    return max((r.callers for r in rungs if r.callers < failed), default=0)


def _crowd(
    serving: Serving, callers: int, seconds: float, cores: Cores
) -> tuple[dict[str, Any], dict[str, float]]:
    """Load a server from the load's core: what the crowd saw, CPU ms a second of each process."""
    line = [sys.executable, "-m", "tests.load.crowd", serving.url, str(callers), str(seconds)]
    line += ["--native"] if serving.native else []
    with subprocess.Popen(
        line, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True
    ) as crowd:
        os.sched_setaffinity(crowd.pid, {cores.load})
        assert crowd.stdout is not None
        usage, cpu = Usage(serving.pids), {}
        for said in crowd.stdout:
            if said == "begin\n":
                usage.begin()
            elif said == "end\n":
                cpu = usage.ms_per_s()
            else:
                return cast(dict[str, Any], json.loads(said)), cpu
    raise RuntimeError(f"Expected the load of {callers} callers to end well, got {crowd.wait()}")
