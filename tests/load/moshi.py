"""Measure ENGINE=moshi: ms a step by batch, pasts read again, and seats by memory.

On a GPU it is a model of Moshi's size (7.7 billion parameters) with random weights, which takes as
long as the published ones. On a CPU it is the tiny checkpoint of the tests: those figures show that
the bench works and say nothing about 7B.
"""

import gc
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import nn

from shared.audio import CHUNK_SAMPLES
from shared.modes import MoshiPrecision
from tests.load.roofline import Roofline
from tests.moshi.tiny import TOKENIZER, tiny_folder
from workers.engines.base import Opening, Past, Speak, Work
from workers.engines.moshi.context import from_bytes
from workers.engines.moshi.engine import MoshiEngine
from workers.engines.moshi.load import assemble, codec_dtype, free_memory, layout_for
from workers.engines.moshi.memory_plan import GIB, Layout
from workers.models.moshi.checkpoint import load_lm, load_mimi, open_folder
from workers.models.moshi.config import LmConfig, MimiConfig
from workers.models.moshi.depth import Depth
from workers.models.moshi.linear import hold_all
from workers.models.moshi.mimi import Mimi
from workers.models.moshi.temporal import Temporal
from workers.models.moshi.text import TextTokens

Progress = Callable[[str], None]

CARDS: Final = {"141 GB (H200)": 139.8, "80 GB": 79.1, "40 GB": 39.4, "24 GB": 23.5, "12 GB": 11.7}
LIMIT_MS: Final = 80.0
STEPS_GPU: Final = 120
STEPS_CPU: Final = 12
RETOLD_STEPS: Final = 36
# Rows and positions that are read at once, and two layers in which arithmetic is the limit.
READ: Final = ((1, 32), (1, 256), (2, 128), (4, 64), (8, 32), (8, 256))
WIDE: Final = LmConfig(dim=1_024, layers=2, heads=16, hidden=2_816, texts=1_000, card=64)
BATCHES: Final = (1, 2, 4, 8, 16, 32, 48, 64, 80, 100, 128)
MOST_ROWS: Final = 160
SCALE: Final = 0.02  # of the random weights
NO_VOICES: Final = Path("/nonexistent")


@dataclass(frozen=True, slots=True)
class MoshiStep:
    """A step of a batch of calls near the end of their contexts."""

    batch: int
    step_ms: float  # the median
    p99_ms: float
    memory_share: float  # of the bandwidth that copies reach on this machine


@dataclass(frozen=True, slots=True)
class MoshiReading:
    """Pasts of several calls, read at once or one after the other."""

    rows: int  # calls at once
    positions: int  # of each
    per_1000_ms: float  # the time for a thousand positions


@dataclass(slots=True)
class MoshiResult:
    """What one run found so far."""

    on: str  # device, model and precision
    seats: dict[str, list[int]]  # by memory: in full and in eight bits
    seats_here: int
    steps: list[MoshiStep] = field(default_factory=list)
    past_steps: int = 0
    past_ms: float = 0.0  # to read a whole context again, with the codec's memory
    piece_ms: float = 0.0  # its longest piece
    move_ms: float = 0.0  # to move a context
    retold: float | None = None  # share of tokens that stay the same after a takeover
    reading: list[MoshiReading] = field(default_factory=list)


def measure(
    progress: Progress,
    precision: MoshiPrecision = MoshiPrecision.FULL,
    within_s: float = math.inf,
) -> Iterator[MoshiResult]:
    """Build the engine, step it at growing batches, then read pasts again.

    Yields the result after each part, so that a run that is cut short leaves what it found. Begins
    no second part later than `within_s`.
    """
    until = time.monotonic() + within_s
    gpu = torch.cuda.is_available()
    torch.set_num_threads(torch.get_num_threads() if gpu else 1)
    device = "cuda" if gpu else "cpu"
    # Before the engine fills the memory, since the copies are large.
    rates = Roofline.measure(device, torch.bfloat16 if gpu else torch.float32)
    torch.cuda.empty_cache()
    free = free_memory(device)
    size = "7B, random weights" if gpu else "tiny checkpoint, width 64"
    name = torch.cuda.get_device_name() if gpu else "one CPU core"
    with tempfile.TemporaryDirectory() as folder:
        layout, build = _gpu_parts(precision) if gpu else _tiny_parts(Path(folder), precision)
        found = MoshiResult(f"{name}, {size}, precision {precision}", _seats(), layout.seats(free))
        progress(f"{found.seats_here} seats")
        engine = _built(build, min(MOST_ROWS, found.seats_here) if gpu else 8, progress)
    count = STEPS_GPU if gpu else STEPS_CPU
    batches = [partial(_one_batch, b, layout, rates, count) for b in _batches(engine.slots)]
    parts: list[Part] = [*batches, _replays, _retold, _reading]
    for part in parts:
        if found.steps and time.monotonic() > until:
            progress(f"stopped after {within_s:.0f} s: the other parts are missing")
            return
        progress(part(engine, found))
        yield found


def _batches(rows: int) -> list[int]:
    return [batch for batch in BATCHES if batch < rows] + [rows]


def _built(build: "Build", rows: int, progress: Progress) -> MoshiEngine:
    """The engine with so many rows, or fewer where the estimate of the memory was too high."""
    while True:
        progress(f"building an engine with {rows} rows")
        try:
            return build(rows)
        except torch.OutOfMemoryError:
            if rows == 1:
                raise
        rows = max(1, rows * 3 // 4)
        gc.collect()
        torch.cuda.empty_cache()


def _one_batch(
    batch: int,
    layout: Layout,
    rates: Roofline,
    count: int,
    engine: MoshiEngine,
    found: MoshiResult,
) -> str:
    if found.steps and found.steps[-1].step_ms > 2 * LIMIT_MS:
        return f"{batch} calls: not tried, since {found.steps[-1].batch} take too long"
    step = _steps(engine, batch, layout, rates, count)
    found.steps.append(step)
    return f"{batch} calls: {step.step_ms:.1f} ms, p99 {step.p99_ms:.1f} ms"


Build = Callable[[int], MoshiEngine]
Part = Callable[[MoshiEngine, MoshiResult], str]  # adds to the result and says what it added


def _tiny_parts(folder: Path, precision: MoshiPrecision) -> tuple[Layout, Build]:
    opened = open_folder(tiny_folder(folder))
    temporal, depth = load_lm(opened, precision=precision)
    mimi = load_mimi(opened, dtype=codec_dtype("cpu"))
    tokens = TextTokens(opened.text)
    layout = layout_for(
        opened.config,
        opened.mimi_config,
        gpu=False,
        dtype="float32",
        precision=precision,
        prompted=False,
        codec_bytes=opened.mimi.stat().st_size,
    )
    return layout, lambda rows: assemble(
        temporal, depth, mimi, tokens, layout=layout, slots=rows, voices=NO_VOICES
    )


def _gpu_parts(precision: MoshiPrecision) -> tuple[Layout, Build]:
    """Modules of the published sizes, filled on the GPU."""
    lm, codec = LmConfig(), MimiConfig()
    with torch.device("meta"):
        temporal, depth = Temporal(lm), Depth(lm)
        mimi = Mimi(codec, filters=64, hidden=2048, inner=256, entries=lm.card)
    for module in (temporal, depth):
        _fill(module, torch.bfloat16)
        hold_all(module, precision)
    _fill(mimi, torch.float32)
    layout = layout_for(lm, codec, gpu=True, dtype="bfloat16", precision=precision, prompted=False)
    return layout, lambda rows: assemble(
        temporal,
        depth,
        mimi,
        TextTokens(TOKENIZER),
        layout=layout,
        slots=rows,
        voices=NO_VOICES,
    )


@torch.no_grad()
def _fill(module: nn.Module, dtype: torch.dtype) -> None:
    module.to(dtype).to_empty(device="cuda").requires_grad_(requires_grad=False).eval()
    generator = torch.Generator("cuda").manual_seed(1)
    for name, value in [*module.named_parameters(), *module.named_buffers()]:
        if name.endswith(("alpha", "norm1.weight", "norm2.weight", "cluster_usage")):
            value.fill_(1.0)
        else:
            value.normal_(0.0, SCALE, generator=generator)


def _seats() -> dict[str, list[int]]:
    """Seats of the published model in bfloat16 and in eight bits."""
    lm, codec, kinds = LmConfig(), MimiConfig(), (MoshiPrecision.FULL, MoshiPrecision.INT8)
    layouts = [
        layout_for(lm, codec, gpu=True, dtype="bfloat16", precision=kind, prompted=False)
        for kind in kinds
    ]
    return {card: [o.seats(int(gib * GIB)) for o in layouts] for card, gib in CARDS.items()}


def _noise(rng: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return rng.integers(-3_000, 3_000, CHUNK_SAMPLES, dtype=np.int16)


def _replays(engine: MoshiEngine, found: MoshiResult) -> str:
    """Read the past of a whole context again; move a context."""
    rng, traits = np.random.default_rng(1), engine.traits
    count = traits.context_chunks - 1
    heard, said = bytes(16), bytes(18)
    pasts = [Past((_noise(rng),), (heard,), said, Speak.DUPLEX) for _ in range(count)]
    found.past_steps = count
    found.past_ms, found.piece_ms = _replayed(engine, Opening(1), pasts)
    silent = [Past((), past.heard, past.said, Speak.DUPLEX) for past in pasts]
    opening = Opening(2, moved=True)
    found.move_ms, _ = _replayed(engine, opening, silent[-traits.carry_chunks :])
    return (
        f"a past of {count} steps: {found.past_ms:.0f} ms, at most {found.piece_ms:.1f} ms apiece"
    )


def _replayed(engine: MoshiEngine, opening: Opening, pasts: Sequence[Past]) -> tuple[float, float]:
    """Ms of a whole replay and of its longest piece; of the second of two, which is warm."""
    found = (0.0, 0.0)
    for _ in range(2):
        engine.open(0, opening)
        pieces, began = [], _now()
        for _ in engine.replay(0, pasts):
            pieces.append((_now() - began) * 1_000)
            began = _now()
        found = sum(pieces), max(pieces)
    return found


def _retold(engine: MoshiEngine, found: MoshiResult) -> str:
    """The share of a call's tokens that a slot rebuilt from its log gives as well."""
    rng = np.random.default_rng(3)
    sounds = [_noise(rng) for _ in range(RETOLD_STEPS)]
    works = [Work(0, (sound,), Speak.DUPLEX) for sound in sounds]
    engine.open(0, Opening(3))
    lived = [engine.step([work])[0] for work in works]
    pasts = [Past(w.hear, o.heard, o.said, w.speak) for w, o in zip(works, lived, strict=True)]
    shares = []
    for death in range(3, RETOLD_STEPS, 4):
        engine.open(0, Opening(3, history=pasts[:death]))
        (output,) = engine.step([works[death]])
        ours, theirs = (from_bytes(o.said or b"") for o in (output, lived[death]))
        shares.append(float(np.mean(ours == theirs)))
    found.retold = statistics.mean(shares)
    return f"after a takeover {100 * found.retold:.1f} % of the next tokens are the same"


@torch.inference_mode()
def _reading(engine: MoshiEngine, found: MoshiResult) -> str:
    """Times of the temporal transformer; on a CPU, where it is tiny, of two wide layers."""
    if torch.cuda.is_available():
        temporal, cache = engine._stepper._temporal, engine._stepper._cache
    else:
        temporal = Temporal(WIDE).eval()
        for value in temporal.parameters():
            value.normal_(0.0, SCALE)
        cache = temporal.cache(max(rows for rows, _ in READ), 256, 1_024)
    for rows, positions in (shape for shape in READ if shape[0] <= len(cache.length)):
        tokens = torch.zeros(rows, 17, positions, dtype=torch.long, device=cache.length.device)
        cache.length[:rows] = 512
        kept = torch.zeros_like(cache.length[:rows])
        took = []
        for _ in range(4):
            began = _now()
            temporal.read(tokens, cache, cache.span(0, rows, positions), kept)
            took.append(_now() - began)
        per_1000_ms = 1e6 * min(took[1:]) / (rows * positions)
        found.reading.append(MoshiReading(rows, positions, per_1000_ms))
    return f"several pasts at once: {len(found.reading)} shapes"


def _now() -> float:
    """Seconds; on a CPU of this thread's own work, so that a busy machine does not matter."""
    if not torch.cuda.is_available():
        return time.thread_time()
    torch.cuda.synchronize()
    return time.perf_counter()


def _steps(
    engine: MoshiEngine, batch: int, layout: Layout, rates: Roofline, count: int
) -> MoshiStep:
    """Step so many calls near the end of their contexts."""
    rng = np.random.default_rng(2)
    for slot in range(batch):
        engine.open(slot, Opening(slot))
    held = max(0, engine.traits.context_chunks - count - 4)
    engine._stepper._cache.length[:batch] = held
    engine._stepper._held[:batch] = [held] * batch
    works = [Work(slot, (_noise(rng),), Speak.DUPLEX) for slot in range(batch)]
    took = []
    for number in range(count + 3):
        began = _now()
        engine.step(works)
        took.append((_now() - began) * 1_000) if number >= 3 else None
    middle = statistics.median(took)
    cache = 2 * layout.lm.layers * layout.lm.dim * layout.number_bytes * engine._stepper.capacity
    read = layout.linear * layout.weight_bytes + layout.codec_bytes + batch * cache
    share = read / (middle / 1_000) / rates.memory_per_s
    p99 = float(np.percentile(took, 99))
    return MoshiStep(batch, middle, p99, share)


def calls_in_time(steps: Sequence[MoshiStep]) -> int:
    """The largest batch with a p99 below a chunk's 80 ms; 0 if none is."""
    return max((step.batch for step in steps if step.p99_ms < LIMIT_MS), default=0)
