"""The parts of the bench: each measures, keeps its result, and writes its section and its plot."""

import math
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import torch

from shared.modes import MoshiPrecision
from tests.load import (
    cascade,
    conversation,
    curves,
    dialects,
    engine,
    fleet,
    forecast,
    moshi,
    plots,
    transport,
)
from tests.load.cascade import TalkRung
from tests.load.conversation import Conversations
from tests.load.cores import Cores, describe
from tests.load.dialects import DialectCost
from tests.load.document import put
from tests.load.fleet import Fleet
from tests.load.ladder import Rung, largest
from tests.load.moshi import MoshiResult
from tests.load.record import Record
from tests.load.report import cascade as cascade_report
from tests.load.report import forecast as forecast_report
from tests.load.report import model, path
from tests.load.report import moshi as moshi_report
from tests.load.report.goals import goals
from tests.load.report.model import EngineResult
from tests.load.roofline import Roofline, StepWork
from tests.load.servers import ROOT
from tests.load.transport import FULL, SHORT, SMOKE, PeerComparison

BENCHMARKS: Final = ROOT / "docs" / "benchmarks.md"
PLOTS: Final = ROOT / "docs" / "plots"
BATCHES: Final = (1, 4, 16, 32, 48)
BATCHES_SMOKE: Final = (1, 2, 4)
BATCHES_FULL: Final = (1, 2, 4, 8, 16, 32, 48, 64)
BATCHES_GPU: Final = (1, 4, 16, 64, 256, 512, 1_024, 2_048)
CALLERS: Final = (1, 4, 8, 16)
REFERENCE_SLOTS: Final = 4  # of the engine whose operations are counted
FLEET_CALLERS: Final = 100  # or half of the largest number that held, if that is less

T = TypeVar("T")


class Bench:
    """One run and its results so far."""

    def __init__(
        self,
        into: Path | None = None,
        *,
        full: bool = False,
        smoke: bool = False,
        within_s: float = math.inf,
    ) -> None:
        """`into`: a folder for all files, instead of docs/. `within_s`: of the part moshi."""
        self.full, self.within_s = full, within_s
        self.smoke = smoke
        self.document = into / BENCHMARKS.name if into else BENCHMARKS
        self.figures = into or PLOTS
        self.figures.mkdir(parents=True, exist_ok=True)
        self.record = Record(self.figures / "bench.json")
        self.cores = Cores.of_machine()
        self.plan = FULL if full else SMOKE if smoke else SHORT
        self._began = time.monotonic()
        # Read them now: the run itself loads the machine and changes the working tree.
        self._busy, self._revision = os.getloadavg()[0], _revision()
        self.allowed = os.sched_getaffinity(0)

    def run(self, names: Sequence[str]) -> list[str]:
        """Measure these parts and write their sections; return the names of those that failed."""
        return self._each(names, self._measure)

    def report(self, names: Sequence[str]) -> list[str]:
        """Write the sections of these parts from their last results; the failed ones' names."""
        return self._each(names, lambda part: part.report(self))

    def progress(self, line: str) -> None:
        """Print a line with the time since the start."""
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        sys.stdout.write(f"{minutes:2}:{seconds:02} {line}\n")
        sys.stdout.flush()

    def place(self) -> str:
        """The machine, the command, the time, the code, and the load before the run."""
        length = "bench-full" if self.full else "bench ARGS=--smoke" if self.smoke else "bench"
        day = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        return (
            f"{describe()}; Python {platform.python_version()}; `make {length}`, {day}, "
            f"{self._revision}; load average before the run {self._busy:.1f}."
        )

    def last(self, part: str, kind: type[T]) -> T:
        """The last result of a part. Raises ValueError when there is none."""
        if (found := self.record.found(part, kind)) is None:
            raise ValueError(f"Expected a result of the part `{part}`, got none")
        return found

    def rungs(self) -> list[Rung]:
        """The last measured ladder of antiphon."""
        return self.record.found("transport", list[Rung]) or []

    def _measure(self, part: "Part") -> None:
        if part.measure is None:
            return part.report(self)
        place = self.place()
        self.record.keep(part.name, part.measure(self), place)
        part.report(self)

    def _each(self, names: Sequence[str], work: Callable[["Part"], None]) -> list[str]:
        failed = []
        for name in names:
            self.progress(f"== {name} ==")
            os.sched_setaffinity(0, {self.cores.load})
            try:
                work(PARTS[name])
            except Exception as error:  # the other parts must still run
                self.progress(f"{name} FAILED, its section is an older one: {error!r}")
                failed.append(name)
            finally:
                os.sched_setaffinity(0, self.allowed)
        try:
            put(self.document, "goals", self._goals())
        except Exception as error:  # as above
            self.progress(f"the table of goals FAILED: {error!r}")
            failed.append("goals")
        self.progress(f"wrote {self.document.name}; failed: {', '.join(failed) or 'nothing'}")
        return failed

    def _goals(self) -> str:
        measured = self.record.found("engine", EngineResult)
        return goals(
            self.rungs(),
            self.record.found("peers", PeerComparison),
            measured.steps if measured else None,
            self.record.found("conversation", list[Conversations]),
        )


@dataclass(frozen=True, slots=True)
class Part:
    """One part. Without `measure` its report calculates from the results of other parts."""

    name: str
    measure: Callable[[Bench], object] | None
    report: Callable[[Bench], None]


def _revision() -> str:
    line = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    found = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    return f"commit {found.stdout.strip()}" if found.returncode == 0 else "no git"


def _plot_transport(bench: Bench) -> None:
    comparison = bench.record.found("peers", PeerComparison)
    plots.transport(bench.rungs(), comparison, bench.figures / "transport.svg")


def measure_transport(bench: Bench) -> list[Rung]:
    """Measure the whole path with the echo engine."""
    return transport.measure(bench.plan, bench.cores, bench.progress)


def report_transport(bench: Bench) -> None:
    """Write the section and the plot."""
    rungs = bench.last("transport", list[Rung])
    _plot_transport(bench)
    put(bench.document, "transport", path.transport(rungs, bench.record.place("transport")))


def measure_peers(bench: Bench) -> PeerComparison:
    """Measure the peers beside antiphon."""
    return transport.compare(bench.plan, bench.cores, bench.progress)


def report_peers(bench: Bench) -> None:
    """Write the section and the plot."""
    comparison = bench.last("peers", PeerComparison)
    _plot_transport(bench)
    put(bench.document, "peers", path.peers(comparison, bench.rungs(), bench.record.place("peers")))


def measure_dialects(bench: Bench) -> list[DialectCost]:
    """Measure OpenAI's Realtime protocol beside antiphon.v1."""
    callers, rounds, repeats = (2, 1, 1) if bench.smoke else (10, 2, 3 if bench.full else 2)
    return dialects.measure(callers, rounds, repeats, bench.cores, bench.progress)


def report_dialects(bench: Bench) -> None:
    """Write the section."""
    found, place = bench.last("dialects", list[DialectCost]), bench.record.place
    put(bench.document, "dialects", path.dialects(found, place("dialects")))


def measure_engine(bench: Bench) -> EngineResult:
    """Measure the steps of the hybrid engine by batch and stage."""
    cuda = torch.cuda.is_available()
    if not cuda:
        os.sched_setaffinity(0, {bench.cores.server})
    batches: tuple[int, ...] = BATCHES_FULL if bench.full else BATCHES
    batches = BATCHES_GPU if cuda else BATCHES_SMOKE if bench.smoke else batches
    loaded = engine.load(max(batches))
    device, dtype = engine.device_and_dtype(loaded)
    steps = engine.measure(loaded, batches, bench.progress)
    held = engine.callers_in_real_time(steps, "speaking", p99=True)
    bench.progress(f"callers that all get speech at a p99 step below 80 ms: {held}")
    work = StepWork.of(engine.load(REFERENCE_SLOTS, device="cpu", dtype="float32"))
    card = Roofline.measure(device, dtype)
    shares = work.shares(steps, card, scale=dtype.itemsize / torch.float32.itemsize)
    on = f"{device}, {dtype}"
    return EngineResult(steps, engine.vad_us(), on, card, work.operations, shares)


def report_engine(bench: Bench) -> None:
    """Write both sections and the plot."""
    result = bench.last("engine", EngineResult)
    plots.engine(result.steps, bench.figures / "engine.svg")
    put(bench.document, "engine", model.engine(result, bench.record.place("engine")))
    put(bench.document, "roof", model.roofline(result))


def measure_conversation(bench: Bench) -> list[Conversations]:
    """Ask spoken questions."""
    sizes, rounds = CALLERS[:1] if bench.smoke else CALLERS, 4 if bench.full else 1
    return conversation.measure(sizes, rounds, bench.cores, bench.progress)


def report_conversation(bench: Bench) -> None:
    """Write the section."""
    found, place = bench.last("conversation", list[Conversations]), bench.record.place
    put(bench.document, "conversation", model.conversation(found, place("conversation")))


def measure_cascade(bench: Bench) -> list[TalkRung]:
    """Let callers talk to the cascade."""
    plan = cascade.FULL if bench.full else cascade.SMOKE if bench.smoke else cascade.SHORT
    return cascade.measure(plan, bench.cores, bench.progress)


def report_cascade(bench: Bench) -> None:
    """Write the section and the plot."""
    found, place = bench.last("cascade", list[TalkRung]), bench.record.place
    plots.talk(found, bench.figures / "talk.svg")
    put(bench.document, "cascade", cascade_report.cascade(found, place("cascade")))


def measure_cascade_peer(bench: Bench) -> list[TalkRung]:
    """Let the same callers talk to pipecat."""
    small = cascade.PEER_SMOKE if bench.smoke else cascade.PEER_SHORT
    plan = cascade.PEER_FULL if bench.full else small
    return cascade.compare(plan, bench.cores, bench.progress)


def report_cascade_peer(bench: Bench) -> None:
    """Write the section."""
    found = bench.record.found("cascade-peer", list[TalkRung])
    ours = bench.record.found("cascade", list[TalkRung]) or []
    text = cascade_report.peer(found, ours, bench.record.place("cascade-peer"))
    put(bench.document, "cascade-peer", text)


def measure_moshi(bench: Bench) -> MoshiResult:
    """Measure the steps of ENGINE=moshi; MOSHI_PRECISION says how its weights are held.

    Writes the section after each batch: a GPU is lent for minutes, and a run may be cut short.
    """
    if torch.cuda.is_available():
        os.sched_setaffinity(0, bench.allowed)
    precision = MoshiPrecision(os.environ.get("MOSHI_PRECISION", MoshiPrecision.FULL))
    found = None
    for found in moshi.measure(bench.progress, precision, bench.within_s):
        bench.record.keep("moshi", found, bench.place())
        report_moshi(bench)
    if found is None:
        raise ValueError(f"Expected a result within {bench.within_s:.0f} s, got none")
    return found


def report_moshi(bench: Bench) -> None:
    """Write the section."""
    found, place = bench.last("moshi", MoshiResult), bench.record.place
    put(bench.document, "moshi", moshi_report.moshi(found, place("moshi")))


def measure_fleet(bench: Bench) -> Fleet:
    """Measure two gateways and two workers."""
    most = largest(bench.rungs())
    callers = 4 if bench.smoke else max(2, min(FLEET_CALLERS, most // 2 or FLEET_CALLERS))
    repeats = 1 if bench.smoke else 2
    measure = partial(fleet.measure, callers, repeats, bench.plan.side_seconds)
    return measure(bench.cores, bench.progress)


def report_fleet(bench: Bench) -> None:
    """Write the section."""
    put(
        bench.document, "fleet", path.fleet(bench.last("fleet", Fleet), bench.record.place("fleet"))
    )


def report_forecast(bench: Bench) -> None:
    """Simulate fleets of up to a million callers; write the section and the plot."""
    rungs, several = bench.rungs(), bench.last("fleet", Fleet)
    costs = forecast.Costs.of(rungs, several)
    engines = [forecast.ECHO, forecast.GPU]
    try:
        engines.insert(1, forecast.cpu_engine(bench.last("engine", EngineResult).steps))
    except ValueError as error:
        bench.progress(f"without the engine: {error}")
    found = {one.name: curves.curve(costs, one) for one in engines}
    checks = curves.check(rungs, several)
    plots.forecast(costs, engines, found, bench.figures / "forecast.svg")
    where = f"Costs: {bench.record.place('transport')}"
    text = forecast_report.forecast(costs, engines, found, checks, where)
    put(bench.document, "forecast", text)


PARTS: Final = {
    part.name: part
    for part in (
        Part("transport", measure_transport, report_transport),
        Part("peers", measure_peers, report_peers),
        Part("dialects", measure_dialects, report_dialects),
        Part("engine", measure_engine, report_engine),
        Part("conversation", measure_conversation, report_conversation),
        Part("cascade", measure_cascade, report_cascade),
        Part("cascade-peer", measure_cascade_peer, report_cascade_peer),
        Part("moshi", measure_moshi, report_moshi),
        Part("fleet", measure_fleet, report_fleet),
        Part("forecast", None, report_forecast),
    )
}
PEER_PARTS: Final = ("peers", "cascade-peer")
