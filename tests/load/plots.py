"""Draw the plots of docs/benchmarks.md: small SVG files, the same bytes for the same numbers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from tests.load import cascade
from tests.load.curves import Point
from tests.load.engine import SCENES, StepTime
from tests.load.forecast import Costs, Engine, ends_at, size
from tests.load.ladder import LIMIT_P95_MS, Rung
from tests.load.transport import OURS, PeerComparison

SIZE: Final = (9.0, 3.4)  # inches
STEP_MS: Final = 80
FLEETS: Final = tuple(round(10 ** (exponent / 4)) for exponent in range(12, 25))  # 1e3 to 1e6
plt.rcParams["svg.hashsalt"] = "antiphon"


def transport(rungs: Sequence[Rung], comparison: PeerComparison | None, path: Path) -> None:
    """Draw latency and CPU time against callers, of antiphon and of its peers."""
    figure, (left, right) = plt.subplots(1, 2, figsize=SIZE, layout="constrained")
    ladders = {OURS: rungs, **(comparison.ladders if comparison else {})}
    for name, ladder in ladders.items():
        shown = [rung for rung in ladder if not rung.failure]
        sizes = [rung.callers for rung in shown]
        width = 2.2 if name == OURS else 1.2
        left.plot(sizes, [r.latency_p95 for r in shown], "o-", ms=3, lw=width, label=name)
        right.plot(sizes, [r.cpu_per_caller for r in shown], "o-", ms=3, lw=width, label=name)
    left.axhline(LIMIT_P95_MS, color="grey", lw=0.8, ls="--")
    left.set(xscale="log", yscale="log", xlabel="callers", ylabel="added latency p95, ms")
    right.set(xscale="log", yscale="log", xlabel="callers", ylabel="CPU ms a second a caller")
    right.legend(frameon=False, fontsize=8)
    save(figure, path)


def engine(steps: Sequence[StepTime], path: Path) -> None:
    """Draw the time of a step against its batch."""
    figure, axes = plt.subplots(figsize=(SIZE[0] / 2, SIZE[1]), layout="constrained")
    for scene in SCENES:
        shown = [step for step in steps if step.scene == scene]
        axes.plot([p.batch for p in shown], [p.step_ms for p in shown], "o-", ms=3, label=scene)
    axes.axhline(STEP_MS, color="grey", lw=0.8, ls="--")
    axes.set(xscale="log", yscale="log", xlabel="batch", ylabel="ms a step")
    axes.legend(frameon=False, fontsize=8)
    save(figure, path)


def talk(rungs: Sequence[cascade.TalkRung], path: Path) -> None:
    """Draw first audio against talking callers, and where the worker's time goes."""
    figure, (left, right) = plt.subplots(1, 2, figsize=SIZE, layout="constrained")
    sizes = [rung.callers for rung in rungs]
    for share in (0.5, 0.95):
        shown = [rung.first_audio_at(share) for rung in rungs]
        left.plot(sizes, shown, "o-", ms=3, label=f"p{100 * share:.0f}")
    left.axhline(cascade.LIMIT_P95_MS, color="grey", lw=0.8, ls="--")
    left.set(yscale="log", xlabel="callers", ylabel="first audio, ms")
    left.legend(frameon=False, fontsize=8)
    bottom = [0.0] * len(rungs)
    for part in cascade.PARTS:
        spent = [rung.stage_s_a_minute(part) for rung in rungs]
        right.bar(list(map(str, sizes)), spent, bottom=bottom, label=part)
        bottom = [low + more for low, more in zip(bottom, spent, strict=True)]
    right.set(xlabel="callers", ylabel="s a minute of a caller's conversation")
    right.legend(frameon=False, fontsize=8)
    save(figure, path)


def forecast(
    costs: Costs, engines: Sequence[Engine], curves: dict[str, list[Point]], path: Path
) -> None:
    """Draw latency against load, and workers against callers up to the largest fleet."""
    figure, (left, right) = plt.subplots(1, 2, figsize=SIZE, layout="constrained")
    for engine in engines:
        points = curves[engine.name]
        (line,) = left.plot([p.load for p in points], [p.p95 for p in points], "o-", ms=3)
        fleets = [found for n in FLEETS if (found := size(costs, engine, n))]
        sizes = [fleet.callers for fleet in fleets]
        colour = line.get_color()
        right.plot(sizes, [f.workers for f in fleets], "o-", ms=3, color=colour, label=engine.name)
        right.axvline(ends_at(costs, engine), color=colour, lw=0.8, ls="--")
    left.axhline(LIMIT_P95_MS, color="grey", lw=0.8, ls="--")
    left.set(yscale="log", xlabel="load", ylabel="added latency p95, ms, simulated")
    right.set(xscale="log", yscale="log", xlabel="callers (dashed: one fleet ends)")
    right.set_ylabel("worker processes")
    right.legend(frameon=False, fontsize=8)
    save(figure, path)


def save(figure: Figure, path: Path) -> None:
    """Write a figure as SVG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
