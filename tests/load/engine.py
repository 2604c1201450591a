"""What a step of the hybrid engine costs, by batch and by stage, on this machine's one core or GPU.

    speaking    every caller's assistant speaks: the worst case of turn mode
    duplex      every caller is heard and spoken to in the same step: stream mode's worst case
    listening   every caller speaks, nobody is answered
    mix         a third of the callers is spoken to, the others speak
    silent      nobody speaks: the VAD alone, no step of the engine

All rows ask the same recorded question, so all of them speak for as many steps.
"""

import itertools
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile
import torch

from gateway.hearing import resample
from shared.audio import CHUNK_MS, CHUNK_SAMPLES, Pcm16
from workers.engines.base import Opening, Speak, Work
from workers.engines.hybrid import HybridEngine, s2s_config
from workers.models.checkpoint import read_part
from workers.models.s2s import HybridS2S
from workers.models.vad import Vad

QUESTION: Final = Path(__file__).resolve().parents[1] / "e2e" / "questions" / "story.wav"
AT_ONCE: Final = 8  # chunks of the question a step hears
STEPS: Final = 16  # measured in a row: fewer than the reply has
WARM_UP: Final = 4  # steps of a reply that are not counted: its first is not like the others
SCENES: Final = ("speaking", "duplex", "listening", "mix")
THRESHOLD: Final = 0.001


@dataclass(frozen=True, slots=True)
class Pace:
    """Steps of one scene at one batch, the median: ms of one core's time, or of a GPU's clock."""

    scene: str
    batch: int
    step_ms: float
    stages: dict[str, float]  # ms a step of listener, temporal, depth, voice


class Stopwatch:
    """Time spent in parts of an engine while it steps."""

    def __init__(self, engine: HybridEngine) -> None:
        self.spent: dict[str, float] = {}
        generator = engine._generator
        for stage, owner, method in (
            ("listener", engine._listener, "hear"),
            ("temporal", generator, "_read"),
            ("depth", generator._model, "sample_codes"),
            ("voice", engine._voice, "step"),
        ):
            setattr(owner, method, self._timed(stage, getattr(owner, method)))

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

    def __init__(self, engine: HybridEngine) -> None:
        self.engine = engine
        self.watch = Stopwatch(engine)
        self._question = question()

    def _ask(self, slots: Sequence[int]) -> None:
        """Every slot hears the question and begins its answer."""
        for slot in slots:
            self.engine.open(slot, Opening(slot))
        for at in range(0, len(self._question), AT_ONCE):
            hear = tuple(self._question[at : at + AT_ONCE])
            self.engine.step([Work(slot, hear) for slot in slots])
        self.engine.step([Work(slot, (), Speak.BEGIN) for slot in slots])
        for _ in range(WARM_UP):
            self.engine.step([Work(slot, (), Speak.CONTINUE) for slot in slots])

    def play(self, scene: str, batch: int) -> Pace:
        """Measure a scene."""
        self._ask(range(batch))
        works = [self._work(scene, slot) for slot in range(batch)]
        self.watch.spent.clear()
        taken = []
        for _ in range(STEPS):
            start = now()
            self.engine.step(works)
            taken.append((now() - start) * 1_000)
        stages = {name: ms / STEPS for name, ms in self.watch.spent.items()}
        return Pace(scene, batch, statistics.median(taken), stages)

    def _work(self, scene: str, slot: int) -> Work:
        chunk = (self._question[slot % len(self._question)],)
        speaks = scene == "speaking" or (scene == "mix" and slot % 3 == 0)
        if scene == "duplex":
            return Work(slot, chunk, Speak.DUPLEX)
        return Work(slot, (), Speak.CONTINUE) if speaks else Work(slot, chunk)


def measure(folder: Path, batches: Sequence[int], device: str, dtype: str) -> list[Pace]:
    """Every scene at every batch."""
    stage = Stage(HybridEngine.load(folder, max(batches), device, dtype))
    return [stage.play(scene, batch) for scene in SCENES for batch in batches]


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


def callers_in_real_time(paces: Sequence[Pace], scene: str) -> int:
    """How many callers a step of 80 ms holds, between two batches measured by a straight line."""
    held = 0
    known = sorted((p.batch, p.step_ms) for p in paces if p.scene == scene)
    for (low, low_ms), (high, high_ms) in itertools.pairwise(known):
        if high_ms <= CHUNK_MS:
            held = high
        elif low_ms <= CHUNK_MS:
            held = low + int((high - low) * (CHUNK_MS - low_ms) / (high_ms - low_ms))
    return held


def model(folder: Path) -> HybridS2S:
    """The language model, for its number of weights."""
    return HybridS2S(s2s_config(read_part(folder, "s2s"))).to(torch.bfloat16)
