"""Measure a step of the hybrid engine by batch and by stage, on one core or on the GPU.

    speaking    the assistant speaks to every caller: the worst case of turn mode
    duplex      every caller speaks and gets speech in the same step: stream mode's worst case
    listening   every caller speaks and gets no reply
    mix         the assistant speaks to a third of the callers, the others speak
    begin       every caller's turn ends in the same step: the engine reads questions, replies begin
    silent      no caller speaks: the VAD alone runs, the engine makes no step

All rows of a batch ask the same recorded question, so all replies have as many steps.
"""

import itertools
import math
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile
import torch
from torch import Tensor, nn

from client.resampling import resample
from shared.audio import CHUNK_MS, CHUNK_SAMPLES, Pcm16
from shared.modes import EngineName
from shared.settings import load_settings
from workers.audio.energy_vad import Vad
from workers.engines import load_engine
from workers.engines.base import Engine, Opening, Speak, Work

QUESTION: Final = Path(__file__).resolve().parents[1] / "e2e" / "questions" / "story.wav"
AT_ONCE: Final = 8  # chunks of the question in one step
STEPS: Final = 16  # measured in a row; a reply has more
WARM_UP: Final = 4  # the first steps of a reply do not count: they differ from the others
REPEATS_GPU: Final = 8  # of the 16 steps: the p99 is of 128 steps
SCENES: Final = ("speaking", "duplex", "listening", "mix")
BEGIN: Final = "begin"
STAGES: Final = {
    "listener": "_listener.hear",
    "temporal": "_generator.read",
    "depth": "_generator._sample",
    "voice": "_say",
}
THRESHOLD: Final = 0.001


@dataclass(frozen=True, slots=True)
class StepTime:
    """The time of a step by scene and batch, in ms of CPU time or, with a GPU, of the clock."""

    scene: str
    batch: int
    step_ms: float  # the median
    p99_ms: float  # the worst of fewer than a hundred steps
    stages: dict[str, float]  # ms of listener, temporal, depth and voice


class Stopwatch:
    """Measures the time in the stages of an engine while it steps.

    It leaves out stages that the engine has renamed, or that run inside a CUDA graph.
    """

    def __init__(self, engine: Engine) -> None:
        self.spent: dict[str, float] = {}
        for stage, path in STAGES.items():
            *owners, method = path.split(".")
            owner: Any = engine
            for name in owners:
                owner = getattr(owner, name, None)
            if callable(part := getattr(owner, method, None)):
                setattr(owner, method, self._timed(stage, part))

    def _timed(self, stage: str, method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def timed(*args: Any, **kwargs: Any) -> Any:
            start = now()
            found = method(*args, **kwargs)
            self.spent[stage] = self.spent.get(stage, 0.0) + (now() - start) * 1_000
            return found

        return timed


def now() -> float:
    """Seconds of this thread's CPU time, so that other programs do not count.

    With a GPU, seconds of the clock, once the GPU has finished its work.
    """
    if torch.cuda.is_available():
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.thread_time()


def question() -> list[Pcm16]:
    """The question in chunks (1920,) int16."""
    samples, rate_hz = soundfile.read(QUESTION, dtype="float32")
    pcm = resample(samples, rate_hz)
    return list(np.pad(pcm, (0, -pcm.size % CHUNK_SAMPLES)).reshape(-1, CHUNK_SAMPLES))


class Scenes:
    """Brings the slots of an engine to the begin of a scene and measures the scene."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.watch = Stopwatch(engine)
        self._question = question()

    def begin_replies(self, slots: Sequence[int]) -> float:
        """Ask the question in every slot and begin the replies; ms of the step that begins them."""
        for slot in slots:
            self.engine.open(slot, Opening(slot))
        for at in range(0, len(self._question), AT_ONCE):
            hear = tuple(self._question[at : at + AT_ONCE])
            self.engine.step([Work(slot, hear) for slot in slots])
        self.watch.spent.clear()
        begun_ms = self.step([Work(slot, (), Speak.BEGIN) for slot in slots])
        for _ in range(WARM_UP):
            self.engine.step([Work(slot, (), Speak.CONTINUE) for slot in slots])
        return begun_ms

    def step(self, works: Sequence[Work]) -> float:
        """Make one step; its ms."""
        start = now()
        self.engine.step(works)
        return (now() - start) * 1_000

    def measure_begin(self, batch: int, repeats: int) -> StepTime:
        """Measure the step that begins a reply."""
        taken_ms = sorted(self.begin_replies(range(batch)) for _ in range(2 * repeats))
        return _step_time(BEGIN, batch, taken_ms, {})

    def measure(self, scene: str, batch: int, repeats: int) -> StepTime:
        """Measure the steps of a scene."""
        taken_ms: list[float] = []
        stages: Counter[str] = Counter()
        works = [self._work(scene, slot) for slot in range(batch)]
        for _ in range(repeats):
            self.begin_replies(range(batch))
            self.watch.spent.clear()
            taken_ms += [self.step(works) for _ in range(STEPS)]
            stages.update(self.watch.spent)
        each = {name: ms / len(taken_ms) for name, ms in stages.items()}
        return _step_time(scene, batch, taken_ms, each)

    def _work(self, scene: str, slot: int) -> Work:
        chunk = (self._question[slot % len(self._question)],)
        speaks = scene == "speaking" or (scene == "mix" and slot % 3 == 0)
        if scene == "duplex":
            return Work(slot, chunk, Speak.DUPLEX)
        return Work(slot, (), Speak.CONTINUE) if speaks else Work(slot, chunk)


def _step_time(
    scene: str, batch: int, taken_ms: Sequence[float], stages: dict[str, float]
) -> StepTime:
    ordered = sorted(taken_ms)
    p99_ms = ordered[math.ceil(0.99 * len(ordered)) - 1]
    return StepTime(scene, batch, statistics.median(ordered), p99_ms, stages)


def load(slots: int, **settings: str) -> Engine:
    """The hybrid engine as a worker would load it; it reads MODEL, DEVICE and DTYPE."""
    changes = {"engine": EngineName.HYBRID, "worker_slots": slots, **settings}
    return load_engine(load_settings().model_copy(update=changes))


def device_and_dtype(part: object) -> tuple[str, torch.dtype]:
    """The device and dtype of the largest weight of an engine."""
    weight = max(weights(part), key=torch.Tensor.numel)
    return str(weight.device), weight.dtype


def weights(part: object, without: str = "-") -> Iterator[Tensor]:
    """All weights of an engine, without those of attributes and submodules of that name."""
    for name, held in vars(part).items():
        if isinstance(held, nn.Module):
            named = held.named_parameters()
            yield from (w for inner, w in named if not inner.startswith(without))
        elif hasattr(held, "__dict__") and without not in name:
            yield from weights(held, without)


def measure(
    engine: Engine, batches: Sequence[int], progress: Callable[[str], None]
) -> list[StepTime]:
    """Measure every scene at every batch, up to the first batch that does not fit into memory."""
    steps: list[StepTime] = []
    scenes, repeats = Scenes(engine), REPEATS_GPU if torch.cuda.is_available() else 1
    for batch in batches:
        try:
            steps += [scenes.measure(scene, batch, repeats) for scene in SCENES]
            steps.append(scenes.measure_begin(batch, repeats))
        except torch.OutOfMemoryError as error:
            progress(f"batch {batch} and more do not fit: {error}")
            break
        shown = ", ".join(f"{p.scene} {p.step_ms:.1f}" for p in steps if p.batch == batch)
        progress(f"batch {batch}, ms a step: {shown}")
    return steps


def vad_us() -> tuple[float, float]:
    """The VAD's time for a chunk of speech and for a chunk of silence, in us."""
    return _vad_us(question()), _vad_us([np.zeros(CHUNK_SAMPLES, dtype=np.int16)] * 50)


def _vad_us(chunks: Sequence[Pcm16]) -> float:
    vad, taken = Vad(), []
    for chunk in chunks:
        start = time.thread_time()
        vad.hear(chunk, THRESHOLD)
        taken.append((time.thread_time() - start) * 1e6)
    return statistics.median(taken)


def callers_in_real_time(steps: Sequence[StepTime], scene: str, *, p99: bool = False) -> int:
    """How many callers' step takes at most 80 ms, interpolated linearly between measured batches.

    `p99` takes the p99 step instead of the median one.
    """
    held = 0
    known = sorted((p.batch, p.p99_ms if p99 else p.step_ms) for p in steps if p.scene == scene)
    if known and known[0][1] <= CHUNK_MS:
        held = known[0][0]
    for (low, low_ms), (high, high_ms) in itertools.pairwise(known):
        if high_ms <= CHUNK_MS:
            held = high
        elif low_ms <= CHUNK_MS:
            held = low + int((high - low) * (CHUNK_MS - low_ms) / (high_ms - low_ms))
    return held
