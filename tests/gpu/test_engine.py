"""The hybrid engine on a GPU equals the one on a CPU, with and without graphs, at any batch."""

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
import torch
from msgspec import structs

from tests.unit.workers.engines.hybrid.test_engine import chunks, made_engine, stream, turn
from workers.engines.base import Opening, Output, Speak, Work
from workers.engines.hybrid.engine import HybridEngine

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]

SLOTS = 5
# float32 without TF32: the GPU sums in another order, and a voice's phase accumulates that.
SOUND_WITHIN = 1e-3
STATES_WITHIN = 4e-3  # two steps of float16 between 2 and 4


@pytest.fixture(autouse=True)
def _exact() -> Iterator[None]:
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    yield
    torch.backends.cudnn.allow_tf32 = before


def run_in_batch(
    engine: HybridEngine, works: Sequence[Work], rows: Sequence[int]
) -> list[list[Output]]:
    """Give every row the same works in one batch; the outputs by step."""
    for slot in rows:
        engine.open(slot, Opening(7))
    return [engine.step([structs.replace(work, slot=slot) for slot in rows]) for work in works]


def check_same(one: Output, other: Output) -> None:
    assert (one.said, one.text, one.words, one.began, one.ended) == (
        other.said, other.text, other.words, other.began, other.ended,
    )  # fmt: skip
    for ours, theirs in zip(one.heard, other.heard, strict=True):
        left, right = (np.frombuffer(state, "<f2").astype(float) for state in (ours, theirs))
        assert np.abs(left - right).max() <= STATES_WITHIN
    assert (one.pcm is None) == (other.pcm is None)
    if one.pcm is not None and other.pcm is not None:
        assert np.abs(one.pcm - other.pcm).max(initial=0.0) <= SOUND_WITHIN


def works_of(mode: str) -> list[Work]:
    return turn(1, 8) if mode == "turn" else stream(1, 13)


@pytest.mark.parametrize("static", [False, True])
@pytest.mark.parametrize("mode", ["turn", "stream"])
def test_a_gpu_says_the_same_as_a_cpu(mode: str, static: bool) -> None:
    works, rows = works_of(mode), range(SLOTS)
    here = run_in_batch(made_engine(SLOTS, go_bias=100.0), works, rows)
    there = made_engine(SLOTS, go_bias=100.0, static=static, device="cuda")
    for expected, got in zip(here, run_in_batch(there, works, rows), strict=True):
        for one, other in zip(expected, got, strict=True):
            check_same(other, one)


@pytest.mark.parametrize("rows", [1, 2, 3, SLOTS])
def test_graphs_of_every_size_equal_the_engine_without_graphs(rows: int) -> None:
    works, slots = works_of("turn"), [SLOTS - 1 - row for row in range(rows)]
    plain = run_in_batch(made_engine(SLOTS, go_bias=100.0, device="cuda"), works, slots)
    engine = made_engine(SLOTS, go_bias=100.0, static=True, device="cuda")
    for _ in range(2):  # the first run captures the graphs, the second replays them
        for expected, got in zip(plain, run_in_batch(engine, works, slots), strict=True):
            for one, other in zip(expected, got, strict=True):
                check_same(other, one)


def test_padding_does_not_change_rows_outside_the_batch() -> None:
    engine = made_engine(SLOTS, go_bias=100.0, static=True, device="cuda")
    works = works_of("turn")
    alone = run_in_batch(engine, works, [0])
    for slot in range(SLOTS):
        engine.open(slot, Opening(7))
    for work, (expected,) in zip(works, alone, strict=True):
        check_same(engine.step([work])[0], expected)
        engine.step([Work(slot, (chunks(1, slot)[0],), Speak.DUPLEX) for slot in (1, 2, 4)])


def test_repeated_steps_take_no_more_memory() -> None:
    engine = made_engine(SLOTS, go_bias=100.0, static=True, device="cuda")
    works = works_of("turn")
    run_in_batch(engine, works, range(SLOTS))
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    for _ in range(5):
        run_in_batch(engine, works, range(SLOTS))
    assert torch.cuda.memory_allocated() <= before
