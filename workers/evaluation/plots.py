"""Draws the plots of docs/evaluation.md, as SVG files that depend on the figures only."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from workers.evaluation.figures import Measures
from workers.evaluation.vad_comparison import VadResult

WIDTH: Final = 9.0  # inches
ROW: Final = 0.16  # inches a family
plt.rcParams["svg.hashsalt"] = "antiphon"


def _saved(figure: Figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def conditions(rows: Sequence[Measures], path: Path) -> None:
    """Each row's share of right answers with its interval, and the judge's ceiling."""
    figure, axes = plt.subplots(figsize=(WIDTH, 0.9 + 0.27 * len(rows)), layout="constrained")
    places = range(len(rows))[::-1]
    for place, row in zip(places, rows, strict=True):
        right = row["right"]
        axes.barh(place, right["share"], height=0.62, color="#4c78a8")
        axes.plot([right["low"], right["high"]], [place, place], color="black", lw=1.2)
        axes.plot([row["ceiling"]] * 2, [place - 0.36, place + 0.36], color="#e45756", lw=1.6)
    axes.set_yticks(list(places), [row["name"] for row in rows], fontsize=8)
    axes.set(
        xlim=(0, 1.02), xlabel="right answers (black: 95 % interval; red: the judge's ceiling)"
    )
    axes.grid(axis="x", lw=0.3)
    _saved(figure, path)


def families(found: Measures, ceiling: float, path: Path) -> None:
    """Each family's share of right answers on trained engines."""
    names = sorted(found, key=lambda name: (-found[name]["share"], name))
    half = -(-len(names) // 2)
    figure, both = plt.subplots(
        1, 2, figsize=(WIDTH, 0.8 + ROW * half), layout="constrained", sharex=True
    )
    for axes, part in zip(both, (names[:half], names[half:]), strict=True):
        for place, name in enumerate(part[::-1]):
            share = found[name]
            axes.plot([share["low"], share["high"]], [place, place], color="#9ecae9", lw=2)
            axes.plot(share["share"], place, "o", ms=3.5, color="#1f4e79")
        axes.set_yticks(range(len(part)), part[::-1], fontsize=6)
        axes.axvline(0.7 * ceiling, color="#e45756", lw=0.8, ls="--")
        axes.set(xlim=(-0.03, 1.03), ylim=(-1, half))
        axes.grid(axis="x", lw=0.3)
    figure.supxlabel("right answers (dashed: 70 % of the ceiling)", fontsize=8)
    _saved(figure, path)


def replies(seconds: Sequence[float], path: Path) -> None:
    """A histogram of the replies' lengths."""
    figure, axes = plt.subplots(figsize=(WIDTH * 0.6, 2.6), layout="constrained")
    axes.hist(seconds, bins=[0.5 * n for n in range(22)], color="#4c78a8")
    axes.set(xlabel="length of a reply, s", ylabel="replies")
    _saved(figure, path)


def vad(results: Sequence[VadResult], path: Path) -> None:
    """F1 and missed turn ends of both VADs over the noise's level."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 2.9), layout="constrained")
    for name in dict.fromkeys(result.vad for result in results):
        for noise in dict.fromkeys(result.noise for result in results):
            own = [r for r in results if r.vad == name and r.noise == noise]
            style = {"ls": "-" if name == "energy" else "--", "lw": 1.0, "marker": ".", "ms": 4}
            colour = f"C{list(dict.fromkeys(r.noise for r in results)).index(noise)}"
            levels = [r.snr_db for r in own]
            left.plot(levels, [r.f1 for r in own], color=colour, label=f"{name} {noise}", **style)
            right.plot(levels, [r.missed_ends for r in own], color=colour, **style)
    left.set(xlabel="noise, dB below speech", ylabel="speech F1", ylim=(0, 1.02))
    right.set(xlabel="noise, dB below speech", ylabel="turns that did not end", ylim=(-0.02, 1.02))
    figure.legend(
        *left.get_legend_handles_labels(), loc="outside right upper", fontsize=6, frameon=False
    )
    _saved(figure, path)


def draw(
    found: Measures, reply_seconds: Sequence[float], vads: Sequence[VadResult], folder: Path
) -> None:
    """Draw all plots into the folder."""
    conditions(found["rows"], folder / "evaluation_conditions.svg")
    families(found["families"], found["ceiling"], folder / "evaluation_families.svg")
    replies(reply_seconds, folder / "evaluation_replies.svg")
    vad(vads, folder / "evaluation_vad.svg")
