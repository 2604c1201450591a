"""Load one echo server with more and more callers until it breaks a promise."""

import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from threading import Timer
from typing import Any, Final

from tests.load.cores import Cores, CpuMeter, CpuTime
from tests.load.servers import ROOT, RunningServer, environment

# A rung holds if the p95 of its added latency is below this and every frame comes once, in order.
LIMIT_P95_MS: Final = 100.0
NEAR: Final = 3.0
# More than the load generator's 45 s to begin, 2 s to warm up and 1.5 s for the last echoes.
OVERTIME_S: Final = 75.0

Start = Callable[[int, int], AbstractContextManager[RunningServer]]
Progress = Callable[[str], None]


class LoadError(RuntimeError):
    """The load generator could not measure; the message says why."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One server under one number of callers; times in ms."""

    callers: int
    latency_p50: float
    latency_p95: float
    latency_p99: float
    lateness_p99: float
    lateness_max: float
    lost: int  # frames lost, doubled, reordered or foreign, and broken calls
    behind_p99: float  # lateness of the load generator itself
    cpu: dict[str, float]  # CPU ms a second of each process of the server
    others: float = 0.0  # the share of the server's core that other programs used
    failure: str = ""  # why nothing was measured

    @classmethod
    def failed(cls, callers: int, why: str) -> "Rung":
        """The rung of a server that could not begin so many calls, or died."""
        return cls(
            callers=callers,
            latency_p50=math.inf,
            latency_p95=math.inf,
            latency_p99=math.inf,
            lateness_p99=math.inf,
            lateness_max=math.inf,
            lost=0,
            behind_p99=math.inf,
            cpu={},
            failure=why,
        )

    @property
    def cpu_per_caller(self) -> float:
        """CPU ms a second of the whole server side for one caller; NaN if not measured."""
        return sum(self.cpu.values()) / self.callers if self.cpu else math.nan

    def cpu_of(self, kind: str) -> float:
        """The same for all processes of a kind (as "gateway" and "gateway 2")."""
        found = [ms for name, ms in self.cpu.items() if name.split()[0] == kind]
        return sum(found) / self.callers if found else math.nan

    @property
    def load(self) -> float:
        """The share of its core that the server used."""
        return sum(self.cpu.values()) / 1_000

    @property
    def holds(self) -> bool:
        """Whether the promises held."""
        return not self.failure and self.lost == 0 and self.latency_p95 < LIMIT_P95_MS

    @property
    def is_near(self) -> bool:
        """Whether it holds, or another program on the machine could be why it does not."""
        return not self.failure and self.latency_p95 < NEAR * LIMIT_P95_MS

    def __str__(self) -> str:
        if self.failure:
            return f"{self.callers} callers: failed, {self.failure.splitlines()[-1]}"
        return (
            f"{self.callers} callers: p50 {self.latency_p50:.1f} p95 {self.latency_p95:.1f} ms, "
            f"lost {self.lost}, CPU {self.cpu_per_caller:.2f} ms/s a caller, "
            f"core {100 * self.load:.0f} %, others {100 * self.others:.0f} %"
        )


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value at that share of the sorted values; infinity for none."""
    return ordered[int(share * (len(ordered) - 1))] if ordered else math.inf


def measure_rung(
    start: Start, callers: int, seconds: float, cores: Cores, progress: Progress
) -> Rung:
    """Load a fresh server with so many callers for so long; an error becomes a failed rung."""
    try:
        with start(cores.server, callers) as server:
            found, cpu = _load(server, callers, seconds, cores)
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        rung = Rung.failed(callers, str(error) or repr(error))
    else:
        rung = _rung(callers, found, cpu)
    progress(str(rung))
    return rung


def _rung(callers: int, found: dict[str, Any], cpu: CpuTime) -> Rung:
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
        cpu=cpu.cpu,
        others=cpu.others,
    )


def climb(
    measure: Callable[[int], Rung],
    sizes: Sequence[int],
    bisections: int,
    known: Sequence[Rung] = (),
) -> list[Rung]:
    """Measure rungs up to the first that does not hold, then between it and the last that does.

    `known` rungs are measured already. A rung that nearly holds gets a second try: another program
    on the machine must not end the ladder.
    """
    rungs = list(known)
    for callers in sizes:
        if any(not r.holds for r in rungs):
            break
        rung = measure(callers)
        rungs.append(measure(callers) if rung.is_near and not rung.holds else rung)
    for _ in range(bisections):
        low, high = largest(rungs), min((r.callers for r in rungs if not r.holds), default=0)
        if high - low <= max(5, low // 10):
            break
        rungs.append(measure((low + high) // 2))
    return sorted(rungs, key=lambda rung: rung.callers)


def largest(rungs: Sequence[Rung]) -> int:
    """The most callers that hold, if all smaller numbers hold too; 0 for none."""
    failed = min((r.callers for r in rungs if not r.holds), default=sys.maxsize)
    return max((r.callers for r in rungs if r.callers < failed), default=0)


def _load(
    server: RunningServer, callers: int, seconds: float, cores: Cores
) -> tuple[dict[str, Any], CpuTime]:
    """Load a server from the other core: the callers' result and the server's CPU time.

    Raises LoadError.
    """
    line = [sys.executable, "-m", "tests.load.load_generator"]
    line += [",".join(server.urls), str(callers), str(seconds)]
    line += ["--native"] if server.native else []
    with tempfile.TemporaryFile("w+") as errors:
        generator = subprocess.Popen(
            line, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=errors, text=True
        )
        deadline = Timer(seconds + OVERTIME_S, generator.kill)
        deadline.start()
        try:
            os.sched_setaffinity(generator.pid, {cores.load})
            return _read_result(generator, CpuMeter(server.pids, cores.server))
        except LoadError as error:
            errors.seek(0)
            raise LoadError(errors.read().strip() or str(error)) from None
        finally:
            deadline.cancel()
            generator.kill()
            generator.wait()


def _read_result(
    generator: "subprocess.Popen[str]", meter: CpuMeter
) -> tuple[dict[str, Any], CpuTime]:
    cpu = CpuTime({}, 0.0)
    for line in generator.stdout or ():
        if line == "begin\n":
            meter.start()
        elif line == "end\n":
            cpu = meter.stop()
        else:
            found: dict[str, Any] = json.loads(line)
            return found, cpu
    raise LoadError(f"Expected a measurement, got exit status {generator.wait()}")
