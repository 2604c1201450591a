"""Manages a training run: its time budget, its loss log and curves, its resumable checkpoint.

    run = Run(runs / "codec", minutes=22)
    state = run.load()               # None at the first start
    while run.going():               # counts a step; False once the budget is spent
        ...
        run.log(loss=loss, mel=mel)  # floats; their means are written every `every` steps
        if run.due():
            run.save({"model": model.state_dict(), "optimiser": optimiser.state_dict()})
    run.save(...)
    run.finish(stoi=0.95)            # writes READY, which later stages require

The budget counts the CPU seconds of this process, of all its threads, from the first step on and
over all resumptions. Waiting on a shared machine costs nothing. `save` writes a second file and
renames it, so a kill at any moment leaves the last complete checkpoint.
"""

import hashlib
import json
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import fmean
from typing import Any, Final

import torch
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from shared.errors import ConfigError

SAVE_EVERY_S: Final = 120.0
CHECKPOINT: Final = "checkpoint.pt"
READY: Final = "READY"
PRESETS: Final = ("tiny", "base")


MEAN_OVER_STEPS: Final = 400


def mean_of(model: torch.nn.Module) -> AveragedModel:
    """The running mean of a model's weights, at any time about as good as a decayed schedule."""

    @torch.no_grad()
    def average(means: Any, news: Any, steps: Any) -> None:
        torch._foreach_lerp_(means, news, 1 / min(int(steps) + 1, MEAN_OVER_STEPS))

    return AveragedModel(model, multi_avg_fn=average)


class Run:
    """The bookkeeping of one stage in its own folder."""

    def __init__(self, folder: Path, minutes: float, every: int = 20) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.every = every
        self.step = 0
        self._budget_s = max(minutes * 60.0, 1.0)
        self._spent_before_s = 0.0
        self._started_s: float | None = None  # the first step's beginning
        self._saved_s = time.monotonic()
        self._logged: defaultdict[str, list[float]] = defaultdict(list)
        self._count = 0
        self._bar = tqdm(total=round(self._budget_s), unit="s", desc=folder.name, mininterval=10)

    @property
    def spent_s(self) -> float:
        """Seconds of the budget used, over all resumptions."""
        if self._started_s is None:
            return self._spent_before_s
        return self._spent_before_s + time.process_time() - self._started_s

    @property
    def fraction(self) -> float:
        """The share of the budget used, 0 to 1; learning-rate schedules follow it."""
        return min(1.0, self.spent_s / self._budget_s)

    def going(self) -> bool:
        """Start the next step; False once the budget is spent."""
        if self.spent_s >= self._budget_s:
            return False
        if self._started_s is None:
            self._started_s = time.process_time()
            (self.folder / READY).unlink(missing_ok=True)  # no longer finished
        self.step += 1
        self._bar.n = round(self.spent_s)
        return True

    def log(self, **losses: float | torch.Tensor) -> None:
        """Add one step's losses to the means, which are written every `every` steps."""
        for name, value in losses.items():
            self._logged[name].append(float(value))
        self._count += 1
        if self._count >= self.every:
            self._write()

    def _write(self) -> None:
        means = {name: fmean(values) for name, values in self._logged.items()}
        self._logged.clear()
        self._count = 0
        line = {"step": self.step, "spent_s": round(self.spent_s, 1), **means}
        with (self.folder / "losses.jsonl").open("a") as out:
            out.write(json.dumps(line) + "\n")
        shown = " ".join(f"{name} {value:.3f}" for name, value in means.items())
        self._bar.set_postfix_str(f"step {self.step} {shown}")

    def say(self, text: str) -> None:
        """Print a line above the progress bar."""
        self._bar.write(text)

    def due(self) -> bool:
        """Whether the last save is two minutes old."""
        return time.monotonic() - self._saved_s >= SAVE_EVERY_S

    def save(self, state: Mapping[str, Any]) -> Path:
        """Write the checkpoint atomically, with step and seconds spent, and redraw the curves."""
        path = self.folder / CHECKPOINT
        partial = path.with_suffix(".partial")
        torch.save({**state, "step": self.step, "spent_s": self.spent_s}, partial)
        partial.replace(path)
        self._saved_s = time.monotonic()
        plot(self.folder)
        return path

    def load(self) -> dict[str, Any] | None:
        """The last checkpoint, or None; step and budget continue from it."""
        path = self.folder / CHECKPOINT
        if not path.exists():
            return None
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        self.step = int(state["step"])
        self._spent_before_s = float(state["spent_s"])
        return state

    def load_of(self, data: str) -> dict[str, Any] | None:
        """As `load`; raises ConfigError if the checkpoint's "data" is not this digest."""
        state = self.load()
        if state is not None and state.get("data") != data:
            raise ConfigError(
                f"Expected the recordings, texts and base weights that the checkpoint in "
                f"{self.folder} was started with, got others: take another --run folder, or remove "
                "this one"
            )
        return state

    def steps_of(self, wanted: int) -> str:
        """The number of steps done, with a hint if the budget ended before the wanted number."""
        if self.step >= wanted:
            return f"{self.step}"
        return f"{self.step} of {wanted}: the minutes are used up; more --minutes continue the run"

    def finish(self, **metrics: float | str) -> None:
        """Mark the stage as finished: READY holds its metrics."""
        self._bar.close()
        write_json(self.folder / READY, {"step": self.step, **metrics})


def digest(parts: Iterable[bytes]) -> str:
    """Identifies a training's data."""
    found = hashlib.sha256()
    for part in parts:
        found.update(f"{len(part)}:".encode())
        found.update(part)
    return found.hexdigest()


def claim(runs: Path, preset: str) -> None:
    """Tie a folder of runs to one preset. Raises ConfigError on an unknown or another preset."""
    if preset not in PRESETS:
        raise ConfigError(f"Expected one of the presets {PRESETS}, got {preset!r}")
    path = runs / "PRESET"
    if not path.exists():
        runs.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{preset}\n")
    elif (had := path.read_text().strip()) != preset:
        raise ConfigError(
            f"Expected the preset that {runs} was started with, {had}, got {preset}: take another "
            "folder (--runs)"
        )


def is_trained_on(runs: Path, weights: Path) -> bool:
    """Whether the stage `joint` trained the weights' listener further; that listener is kept."""
    joined = (runs / "joint" / CHECKPOINT).exists()
    return joined and (weights / "listener.safetensors").exists()


def is_finished(runs: Path, stage: str) -> bool:
    """Whether the stage has finished; if so, print how to train it again."""
    folder = runs / stage
    finished = (folder / READY).exists()
    if finished:
        print(f"{folder} is finished: remove it and {runs}/voice to train another")
    return finished


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON file atomically."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n")
    partial.replace(path)


def ready(folder: Path) -> dict[str, Any]:
    """The metrics of a finished stage. Raises FileNotFoundError until it is finished."""
    path = folder / READY
    if not path.exists():
        raise FileNotFoundError(
            f"Expected a finished stage in {folder}, but {path.name} is missing: "
            f"run `python -m workers.training {folder.name}` first"
        )
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def plot(folder: Path) -> None:
    """Plot every loss of losses.jsonl over the steps, on a log scale, into losses.png."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    log = folder / "losses.jsonl"
    if not log.exists():
        return
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    names = sorted({name for row in rows for name in row} - {"step", "spent_s"})
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot()
    for name in names:
        points = [(row["step"], row[name]) for row in rows if row.get(name, 0) > 0]
        axes.plot([p[0] for p in points], [p[1] for p in points], label=name, linewidth=1)
    axes.set_yscale("log")
    axes.set_xlabel("step")
    axes.legend(fontsize="small")
    FigureCanvasAgg(figure)
    figure.savefig(folder / "losses.png", format="png")
