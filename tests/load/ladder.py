"""How one echo server does as its callers grow, until one of the promises breaks."""

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

from tests.load.cores import Cores, Spent, Usage
from tests.load.servers import ROOT, Serving, environment

# What a rung must hold to count: the added latency's p95, and every frame, once and in order.
LIMIT_P95_MS: Final = 100.0
NEAR: Final = 3.0
# Above the crowd's own 45 s to begin, 2 s to warm up and 1.5 s for the last echo.
OVERTIME_S: Final = 75.0

Start = Callable[[int, int], AbstractContextManager[Serving]]
Tell = Callable[[str], None]


class CrowdError(RuntimeError):
    """The callers could not measure; the message says why."""


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
    others: float = 0.0  # share of the server's core that others used meanwhile
    fell: str = ""  # why there is nothing measured

    @classmethod
    def fallen(cls, callers: int, why: str) -> "Rung":
        """A server that did not even begin so many calls, or did not live through them."""
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
            fell=why,
        )

    @property
    def cpu_per_caller(self) -> float:
        """CPU ms a second that one caller costs the whole server side; NaN of none measured."""
        return sum(self.cpu.values()) / self.callers if self.cpu else math.nan

    def cpu_of(self, kind: str) -> float:
        """CPU ms a second a caller of all processes of a kind ("gateway", "gateway 2"); NaN."""
        found = [ms for name, ms in self.cpu.items() if name.split()[0] == kind]
        return sum(found) / self.callers if found else math.nan

    @property
    def load(self) -> float:
        """The share of its core that the server used."""
        return sum(self.cpu.values()) / 1_000

    @property
    def holds(self) -> bool:
        """Whether the promises held."""
        return not self.fell and self.lost == 0 and self.latency_p95 < LIMIT_P95_MS

    @property
    def is_near(self) -> bool:
        """Whether it held, but for what a neighbour on the machine could have done."""
        return not self.fell and self.latency_p95 < NEAR * LIMIT_P95_MS

    def __str__(self) -> str:
        if self.fell:
            return f"{self.callers} callers: fell over, {self.fell.splitlines()[-1]}"
        return (
            f"{self.callers} callers: p50 {self.latency_p50:.1f} p95 {self.latency_p95:.1f} ms, "
            f"lost {self.lost}, CPU {self.cpu_per_caller:.2f} ms/s a caller, "
            f"core {100 * self.load:.0f} %, others {100 * self.others:.0f} %"
        )


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value below which that share of the sorted values lies; infinity of none."""
    return ordered[int(share * (len(ordered) - 1))] if ordered else math.inf


def climb_one(start: Start, callers: int, seconds: float, cores: Cores, tell: Tell) -> Rung:
    """A fresh server under so many callers for so long. Whatever goes wrong is the rung's."""
    try:
        with start(cores.server, callers) as serving:
            found, spent = _crowd(serving, callers, seconds, cores)
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        rung = Rung.fallen(callers, str(error) or repr(error))
    else:
        rung = _rung(callers, found, spent)
    tell(str(rung))
    return rung


def _rung(callers: int, found: dict[str, Any], spent: Spent) -> Rung:
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
        cpu=spent.cpu,
        others=spent.others,
    )


def climb(
    one: Callable[[int], Rung], sizes: Sequence[int], bisections: int, known: Sequence[Rung] = ()
) -> list[Rung]:
    """Rungs in turn up to the first that does not hold, then between it and the last that did.

    `known` are measured already. Who nearly keeps the promises is asked once more: a neighbour
    on the machine must not end the ladder.
    """
    rungs = list(known)
    for callers in sizes:
        if any(not r.holds for r in rungs):
            break
        rung = one(callers)
        rungs.append(one(callers) if rung.is_near and not rung.holds else rung)
    for _ in range(bisections):
        low, high = largest(rungs), min((r.callers for r in rungs if not r.holds), default=0)
        if high - low <= max(5, low // 10):
            break
        rungs.append(one((low + high) // 2))
    return sorted(rungs, key=lambda rung: rung.callers)


def largest(rungs: Sequence[Rung]) -> int:
    """The most callers at which the promises held, with all smaller numbers too; 0 for none."""
    failed = min((r.callers for r in rungs if not r.holds), default=sys.maxsize)
    return max((r.callers for r in rungs if r.callers < failed), default=0)


def _crowd(
    serving: Serving, callers: int, seconds: float, cores: Cores
) -> tuple[dict[str, Any], Spent]:
    """Load a server from the load's core: what the crowd saw, and what the server spent.

    Raises CrowdError.
    """
    line = [sys.executable, "-m", "tests.load.crowd"]
    line += [",".join(serving.urls), str(callers), str(seconds)]
    line += ["--native"] if serving.native else []
    with tempfile.TemporaryFile("w+") as trouble:
        crowd = subprocess.Popen(
            line, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=trouble, text=True
        )
        late = Timer(seconds + OVERTIME_S, crowd.kill)
        late.start()
        try:
            os.sched_setaffinity(crowd.pid, {cores.load})
            return _listen(crowd, Usage(serving.pids, cores.server))
        except CrowdError as error:
            trouble.seek(0)
            raise CrowdError(trouble.read().strip() or str(error)) from None
        finally:
            late.cancel()
            crowd.kill()
            crowd.wait()


def _listen(crowd: "subprocess.Popen[str]", usage: Usage) -> tuple[dict[str, Any], Spent]:
    spent = Spent({}, 0.0)
    for said in crowd.stdout or ():
        if said == "begin\n":
            usage.begin()
        elif said == "end\n":
            spent = usage.end()
        else:
            found: dict[str, Any] = json.loads(said)
            return found, spent
    raise CrowdError(f"Expected the crowd to measure, got exit status {crowd.wait()}")
