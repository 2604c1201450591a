"""The Moshi engine on a GPU gives the codes that it gives on a CPU, as graphs of every size.

These tests have not run yet: no machine with a GPU was at hand.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pytest
import torch

from shared.audio import Pcm16
from tests.unit.workers.engines.moshi.made import babble, made_engine
from workers.engines.base import Opening, Output, Past, Speak, Work
from workers.engines.moshi.engine import MoshiEngine
from workers.models.moshi.config import GREEDY

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]

SLOTS, CHUNKS = 5, 38
SOUND_WITHIN = 1e-3


@pytest.fixture(autouse=True)
def _exact() -> Iterator[None]:
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    yield
    torch.backends.cudnn.allow_tf32 = before


@pytest.fixture(scope="module")
def gpu() -> MoshiEngine:
    return made_engine(SLOTS, sampling=GREEDY, device="cuda")


def run(engine: MoshiEngine, sounds: Mapping[int, Sequence[Pcm16]]) -> dict[int, list[Output]]:
    """Calls in these slots, in one batch."""
    for slot in sounds:
        engine.open(slot, Opening(7))
    found: dict[int, list[Output]] = {slot: [] for slot in sounds}
    for number in range(CHUNKS):
        works = [Work(slot, (sounds[slot][number],), Speak.DUPLEX) for slot in sounds]
        for output in engine.step(works):
            found[output.slot].append(output)
    return found


def check_same(one: Sequence[Output], other: Sequence[Output]) -> None:
    for left, right in zip(one, other, strict=True):
        assert (left.heard, left.said, left.text) == (right.heard, right.said, right.text)
        assert (left.pcm is None) == (right.pcm is None)
        if left.pcm is not None and right.pcm is not None:
            assert np.abs(left.pcm - right.pcm).max() < SOUND_WITHIN


@pytest.mark.parametrize("slots", [[0], [3], [0, 1], [4, 2, 1], [0, 1, 2, 3, 4]])
def test_a_gpu_says_the_same_as_a_cpu_at_every_size(gpu: MoshiEngine, slots: list[int]) -> None:
    sounds = {slot: babble(CHUNKS, slot) for slot in slots}
    expected = run(made_engine(SLOTS, sampling=GREEDY), sounds)
    for _ in range(2):  # the graphs are replayed
        found = run(gpu, sounds)
        for slot in slots:
            check_same(found[slot], expected[slot])


def test_a_past_read_again_goes_on_with_the_same_codes(gpu: MoshiEngine) -> None:
    sound = babble(CHUNKS, 1)
    (whole,) = run(gpu, {2: sound}).values()
    history = [
        Past((chunk,), output.heard, output.said, Speak.DUPLEX)
        for chunk, output in zip(sound[:30], whole[:30], strict=True)
    ]
    gpu.open(4, Opening(7, history=history))
    rest = [gpu.step([Work(4, (chunk,), Speak.DUPLEX)])[0] for chunk in sound[30:]]
    check_same(rest, whole[30:])


def test_repeated_calls_take_no_more_memory(gpu: MoshiEngine) -> None:
    sounds = {slot: babble(CHUNKS, slot) for slot in range(SLOTS)}
    run(gpu, sounds)
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    for _ in range(3):
        run(gpu, sounds)
    assert torch.cuda.memory_allocated() <= before
