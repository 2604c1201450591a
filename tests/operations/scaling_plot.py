"""Draws the curve of a scaling run: callers, slots and workers over time."""

from pathlib import Path

from matplotlib import pyplot as plt

from tests.load.plots import SIZE, save
from tests.operations.autoscaler import BUSY_SHARE
from tests.operations.scaling_run import ScalingRun


def draw(run: ScalingRun, path: Path) -> None:
    """Write the plot as SVG."""
    figure, (top, bottom) = plt.subplots(
        2, 1, figsize=(SIZE[0], 1.4 * SIZE[1]), sharex=True, layout="constrained"
    )
    at = [sample.at_s for sample in run.samples]
    slots = [sample.slots for sample in run.samples]
    top.step(at, slots, where="post", color="grey", label="slots")
    target = [BUSY_SHARE * value for value in slots]
    top.step(at, target, where="post", color="grey", ls="--", lw=0.8, label="70 % of the slots")
    top.plot(at, [sample.callers for sample in run.samples], label="callers")
    top.plot(at, [sample.wanted for sample in run.samples], ".", ms=4, label="as Prometheus has it")
    top.set(ylabel="callers")
    top.legend(frameon=False, fontsize=8)
    bottom.step(at, [sample.workers for sample in run.samples], where="post")
    bottom.set(xlabel="seconds", ylabel="worker processes", ylim=(0, None))
    save(figure, path)
