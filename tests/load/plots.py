"""The plots beside BENCHMARKS.md: small SVG files, the same bytes for the same numbers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from tests.load.engine import SCENES, Pace
from tests.load.ladder import LIMIT_P95_MS
from tests.load.transport import OURS, Found

SIZE: Final = (9.0, 3.4)  # inches
STEP_MS: Final = 80
plt.rcParams["svg.hashsalt"] = "antiphon"


def transport(found: Found, path: Path) -> None:
    """Latency and CPU against callers, ours and the peers'."""
    figure, (left, right) = plt.subplots(1, 2, figsize=SIZE, layout="constrained")
    for name, rungs in found.ladders.items():
        sizes = [rung.callers for rung in rungs]
        width = 2.2 if name == OURS else 1.2
        left.plot(sizes, [r.latency_p95 for r in rungs], "o-", ms=3, lw=width, label=name)
        right.plot(sizes, [r.cpu_per_caller for r in rungs], "o-", ms=3, lw=width, label=name)
    left.axhline(LIMIT_P95_MS, color="grey", lw=0.8, ls="--")
    left.set(yscale="log", xlabel="callers", ylabel="added latency p95, ms")
    right.set(yscale="log", xlabel="callers", ylabel="CPU ms a second a caller")
    right.legend(frameon=False, fontsize=8)
    _save(figure, path)


def engine(paces: Sequence[Pace], path: Path) -> None:
    """A step against the batch."""
    figure, axes = plt.subplots(figsize=(SIZE[0] / 2, SIZE[1]), layout="constrained")
    for scene in SCENES:
        shown = [pace for pace in paces if pace.scene == scene]
        axes.plot([p.batch for p in shown], [p.step_ms for p in shown], "o-", ms=3, label=scene)
    axes.axhline(STEP_MS, color="grey", lw=0.8, ls="--")
    axes.set(xscale="log", yscale="log", xlabel="batch", ylabel="ms a step")
    axes.legend(frameon=False, fontsize=8)
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
