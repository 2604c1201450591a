"""What a step of the hybrid engine costs, by batch and by stage, on this machine's one core or GPU.

    speaking    every caller's assistant speaks: the worst case of turn mode
    duplex      every caller is heard and spoken to in the same step: stream mode's worst case
    listening   every caller speaks, nobody is answered
    mix         a third of the callers is spoken to, the others speak
    begin       every caller's turn has ended in the same step: questions are read, replies begin
    silent      nobody speaks: the VAD alone, no step of the engine

All rows ask the same recorded question, so all of them speak for as many steps.
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

from client.measurements import resample
from shared.audio import CHUNK_MS, CHUNK_SAMPLES, Pcm16
from shared.modes import EngineName
from shared.settings import load_settings
from workers.audio.energy_vad import Vad
from workers.engines import load_engine
from workers.engines.base import Engine, Opening, Speak, Work

QUESTION: Final = Path(__file__).resolve().parents[1] / "e2e" / "questions" / "story.wav"
AT_ONCE: Final = 8  # chunks of the question a step hears
STEPS: Final = 16  # measured in a row: fewer than the reply has
WARM_UP: Final = 4  # steps of a reply that are not counted: its first is not like the others
REPEATS_GPU: Final = 8  # of the 16: a p99 of 128 steps
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
class Pace:
    """Steps of one scene at one batch: ms of one core's time, or of a GPU's clock."""

    scene: str
    batch: int
    step_ms: float  # the median
    p99_ms: float  # of fewer than a hundred steps, the worst
    stages: dict[str, float]  # ms a step of listener, temporal, depth, voice


class Stopwatch:
    """Time spent in parts of an engine while it steps.

    A part that has another name by now, or runs inside a CUDA graph, is not timed by itself.
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
    """Seconds: of this thread's CPU time, so that neighbours do not count; with a GPU, by the clock
    after whatever it still does.
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


class Stage:
    """An engine, and its slots brought to where a scene begins."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.watch = Stopwatch(engine)
        self._question = question()

    def ask(self, slots: Sequence[int]) -> float:
        """Every slot hears the question and begins its answer; ms of the step that begins it."""
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
        """One step; ms."""
        start = now()
        self.engine.step(works)
        return (now() - start) * 1_000

    def begin(self, batch: int, repeats: int) -> Pace:
        """Measure the step that begins a reply."""
        taken = sorted(self.ask(range(batch)) for _ in range(2 * repeats))
        return _pace(BEGIN, batch, taken, {})

    def play(self, scene: str, batch: int, repeats: int) -> Pace:
        """Measure a scene."""
        taken: list[float] = []
        stages: Counter[str] = Counter()
        works = [self._work(scene, slot) for slot in range(batch)]
        for _ in range(repeats):
            self.ask(range(batch))
            self.watch.spent.clear()
            taken += [self.step(works) for _ in range(STEPS)]
            stages.update(self.watch.spent)
        each = {name: ms / len(taken) for name, ms in stages.items()}
        return _pace(scene, batch, taken, each)

    def _work(self, scene: str, slot: int) -> Work:
        chunk = (self._question[slot % len(self._question)],)
        speaks = scene == "speaking" or (scene == "mix" and slot % 3 == 0)
        if scene == "duplex":
            return Work(slot, chunk, Speak.DUPLEX)
        return Work(slot, (), Speak.CONTINUE) if speaks else Work(slot, chunk)


def _pace(scene: str, batch: int, taken: Sequence[float], stages: dict[str, float]) -> Pace:
    ordered = sorted(taken)
    worst = ordered[math.ceil(0.99 * len(ordered)) - 1]
    return Pace(scene, batch, statistics.median(ordered), worst, stages)


def load(slots: int, **settings: str) -> Engine:
    """The hybrid engine as a worker would run it here (MODEL, DEVICE, DTYPE count)."""
    wanted = {"engine": EngineName.HYBRID, "worker_slots": slots, **settings}
    return load_engine(load_settings().model_copy(update=wanted))


def device_and_dtype(part: object) -> tuple[str, torch.dtype]:
    """Where and in what a loaded engine's language model is: of its largest weight."""
    weight = max(weights(part), key=torch.Tensor.numel)
    return str(weight.device), weight.dtype


def weights(part: object, without: str = "-") -> Iterator[Tensor]:
    """All of an engine's, but for attributes and submodules of that name."""
    for name, held in vars(part).items():
        if isinstance(held, nn.Module):
            named = held.named_parameters()
            yield from (w for inner, w in named if not inner.startswith(without))
        elif hasattr(held, "__dict__") and without not in name:
            yield from weights(held, without)


def measure(engine: Engine, batches: Sequence[int], tell: Callable[[str], None]) -> list[Pace]:
    """Every scene at every batch; those behind one that does not fit into memory are left out."""
    paces: list[Pace] = []
    stage, repeats = Stage(engine), REPEATS_GPU if torch.cuda.is_available() else 1
    for batch in batches:
        try:
            paces += [stage.play(scene, batch, repeats) for scene in SCENES]
            paces.append(stage.begin(batch, repeats))
        except torch.OutOfMemoryError as error:
            tell(f"batch {batch} and more do not fit: {error}")
            break
        shown = ", ".join(f"{p.scene} {p.step_ms:.1f}" for p in paces if p.batch == batch)
        tell(f"batch {batch}, ms a step: {shown}")
    return paces


def vad_us() -> tuple[float, float]:
    """What the VAD costs a chunk, in us: (of speech, of silence)."""
    return _vad_us(question()), _vad_us([np.zeros(CHUNK_SAMPLES, dtype=np.int16)] * 50)


def _vad_us(chunks: Sequence[Pcm16]) -> float:
    vad, taken = Vad(), []
    for chunk in chunks:
        start = time.thread_time()
        vad.hear(chunk, THRESHOLD)
        taken.append((time.thread_time() - start) * 1e6)
    return statistics.median(taken)


def callers_in_real_time(paces: Sequence[Pace], scene: str, *, p99: bool = False) -> int:
    """How many callers a step of 80 ms holds, between two batches measured by a straight line.

    `p99`: nearly every step, not the median one.
    """
    held = 0
    known = sorted((p.batch, p.p99_ms if p99 else p.step_ms) for p in paces if p.scene == scene)
    if known and known[0][1] <= CHUNK_MS:
        held = known[0][0]
    for (low, low_ms), (high, high_ms) in itertools.pairwise(known):
        if high_ms <= CHUNK_MS:
            held = high
        elif low_ms <= CHUNK_MS:
            held = low + int((high - low) * (CHUNK_MS - low_ms) / (high_ms - low_ms))
    return held
