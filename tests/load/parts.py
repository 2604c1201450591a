"""The parts of the bench: each measures, writes its section and its plot, and may fail alone."""

import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import torch

from tests.load import conversation, curves, engine, fleet, forecast, plots, transport
from tests.load.conversation import Talks
from tests.load.cores import Cores, describe
from tests.load.document import put
from tests.load.engine import Pace
from tests.load.fleet import Fleet
from tests.load.ladder import Rung, largest
from tests.load.record import Record
from tests.load.report import forecast as forecast_report
from tests.load.report import model, path
from tests.load.report.goals import goals
from tests.load.roof import Need, Roof
from tests.load.servers import ROOT
from tests.load.transport import FULL, SHORT, SMOKE, Rivals

PAPER: Final = ROOT / "docs" / "benchmarks.md"
PLOTS: Final = ROOT / "docs" / "plots"
BATCHES: Final = (1, 4, 16, 32, 48)
BATCHES_SMOKE: Final = (1, 2, 4)
BATCHES_FULL: Final = (1, 2, 4, 8, 16, 32, 48, 64)
BATCHES_GPU: Final = (1, 4, 16, 64, 256, 512, 1_024, 2_048)
CALLERS: Final = (1, 4, 8, 16)
REFERENCE_SLOTS: Final = 4  # of the engine whose operations are counted
FLEET_CALLERS: Final = 100  # or half of what was held, if that is less


class Bench:
    """One run, and what it has found so far."""

    def __init__(
        self, into: Path | None = None, *, full: bool = False, smoke: bool = False
    ) -> None:
        """`into`: a folder for the page, its figures and its plots, instead of docs/."""
        self.full = full
        self.smoke = smoke
        self.paper = into / PAPER.name if into else PAPER
        self.figures = into or PLOTS
        self.figures.mkdir(parents=True, exist_ok=True)
        self.record = Record(self.figures / "bench.json")
        self.cores = Cores.of_machine()
        self.plan = FULL if full else SMOKE if smoke else SHORT
        self._began = time.monotonic()
        # Now: what follows makes the machine busy, and the working tree dirty, by itself.
        self._busy, self._revision = os.getloadavg()[0], _revision()
        self._allowed = os.sched_getaffinity(0)

    def run(self, parts: Sequence[str]) -> list[str]:
        """Measure these; the names of those that failed."""
        failed = []
        for part in parts:
            self.tell(f"== {part} ==")
            os.sched_setaffinity(0, {self.cores.load})
            try:
                PARTS[part](self)
            except Exception as error:  # one part's fault must not lose the others
                self.tell(f"{part} FAILED, its section is not of this run: {error!r}")
                failed.append(part)
            finally:
                os.sched_setaffinity(0, self._allowed)
        try:
            put(self.paper, "goals", self._goals())
        except Exception as error:  # the same
            self.tell(f"the table of goals FAILED: {error!r}")
            failed.append("goals")
        self.tell(f"wrote {self.paper.name}; failed: {', '.join(failed) or 'nothing'}")
        return failed

    def tell(self, line: str) -> None:
        """Progress, with the minutes since the start."""
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        sys.stdout.write(f"{minutes:2}:{seconds:02} {line}\n")
        sys.stdout.flush()

    def place(self) -> str:
        """The machine, the time, the code, how busy it was before."""
        length = "bench-full" if self.full else "bench ARGS=--smoke" if self.smoke else "bench"
        day = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        return (
            f"{describe()}; Python {platform.python_version()}; `make {length}`, {day}, "
            f"{self._revision}; load average before the run {self._busy:.1f}."
        )

    def rungs(self) -> list[Rung]:
        """Our ladder as it was measured last."""
        return self.record.found("transport", list[Rung]) or []

    def _goals(self) -> str:
        return goals(
            self.rungs(),
            self.record.found("peers", Rivals),
            self.record.found("engine", list[Pace]),
            self.record.found("conversation", list[Talks]),
        )


def _revision() -> str:
    line = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    found = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    return f"commit {found.stdout.strip()}" if found.returncode == 0 else "no git"


def _plot(bench: Bench) -> None:
    rivals = bench.record.found("peers", Rivals)
    plots.transport(bench.rungs(), rivals, bench.figures / "transport.svg")


def run_transport(bench: Bench) -> None:
    """The whole path with the echo engine."""
    place = bench.place()
    found = transport.measure(bench.plan, bench.cores, bench.tell)
    bench.record.keep("transport", found, place)
    _plot(bench)
    put(bench.paper, "transport", path.transport(found, place))


def run_peers(bench: Bench) -> None:
    """The same of others, beside ours."""
    place = bench.place()
    found = transport.compare(bench.plan, bench.cores, bench.tell)
    bench.record.keep("peers", found, place)
    _plot(bench)
    put(bench.paper, "peers", path.peers(found, bench.rungs(), place))


def run_engine(bench: Bench) -> None:
    """The hybrid engine by batch and stage."""
    place, cuda = bench.place(), torch.cuda.is_available()
    if not cuda:
        os.sched_setaffinity(0, {bench.cores.server})
    batches: tuple[int, ...] = BATCHES_FULL if bench.full else BATCHES
    batches = BATCHES_GPU if cuda else BATCHES_SMOKE if bench.smoke else batches
    loaded = engine.load(max(batches))
    device, dtype = engine.device_and_dtype(loaded)
    paces = engine.measure(loaded, batches, bench.tell)
    bench.record.keep("engine", paces, place)
    plots.engine(paces, bench.figures / "engine.svg")
    text = model.engine(paces, engine.vad_us(), f"{place} {device}, {dtype}.")
    held = engine.callers_in_real_time(paces, "speaking", p99=True)
    bench.tell(f"sessions that all speak at step p99 < 80 ms: {held}")
    put(bench.paper, "engine", text)
    put(bench.paper, "roof", _roof(bench, paces, device, dtype))


def _roof(bench: Bench, paces: Sequence[Pace], device: str, dtype: torch.dtype) -> str:
    """What of the machine's rates the steps need."""
    need = Need.of(engine.load(REFERENCE_SLOTS, device="cpu", dtype="float32"))
    card = Roof.measure(device, dtype)
    shares = need.shares(paces, card, scale=dtype.itemsize / torch.float32.itemsize)
    for s in shares:
        rates = f"{100 * s.multiply:.2f} % of matrix rate, {100 * s.memory:.2f} % of memory rate"
        bench.tell(f"batch {s.batch}: {rates}")
    return model.roof(shares, card, need.operations)


def run_conversation(bench: Bench) -> None:
    """Spoken questions."""
    place, sizes = bench.place(), CALLERS[:1] if bench.smoke else CALLERS
    rounds = 4 if bench.full else 1
    found = conversation.measure(sizes, rounds, bench.cores, bench.tell)
    bench.record.keep("conversation", found, place)
    put(bench.paper, "conversation", model.conversation(found, place))


def run_fleet(bench: Bench) -> None:
    """Two gateways and two workers."""
    place, most = bench.place(), largest(bench.rungs())
    callers = 4 if bench.smoke else max(2, min(FLEET_CALLERS, most // 2 or FLEET_CALLERS))
    repeats = 1 if bench.smoke else 2
    measure = partial(fleet.measure, callers, repeats, bench.plan.side_seconds)
    found = measure(bench.cores, bench.tell)
    bench.record.keep("fleet", found, place)
    put(bench.paper, "fleet", path.fleet(found, place))


def run_forecast(bench: Bench) -> None:
    """Ten thousand and a million callers. Raises ValueError when a part it builds on is missing."""
    rungs, paces = bench.rungs(), bench.record.found("engine", list[Pace]) or []
    several = bench.record.found("fleet", Fleet)
    if several is None:
        raise ValueError("Expected the part `fleet` to have been measured, got none")
    costs = forecast.Costs.of(rungs, several)
    engines = [forecast.ECHO, forecast.GPU]
    try:
        engines.insert(1, forecast.cpu_engine(paces))
    except ValueError as error:
        bench.tell(f"without the engine: {error}")
    found = {one.name: curves.curve(costs, one) for one in engines}
    checks = curves.check(rungs, several)
    plots.forecast(costs, engines, found, bench.figures / "forecast.svg")
    where = f"Costs: {bench.record.place('transport')}"
    text = forecast_report.forecast(costs, engines, found, checks, where)
    put(bench.paper, "forecast", text)


PARTS: Final = {
    "transport": run_transport,
    "peers": run_peers,
    "engine": run_engine,
    "conversation": run_conversation,
    "fleet": run_fleet,
    "forecast": run_forecast,
}
