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


@pytest.fixture(scope="module", autouse=True)
def _exact() -> Iterator[None]:
    """Before an engine is made: a captured graph keeps the algorithms of its capture."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    yield
    torch.backends.cudnn.allow_tf32 = before


@pytest.fixture(scope="module")
def gpu() -> MoshiEngine:
    return made_engine(SLOTS, sampling=GREEDY, device="cuda")


@pytest.fixture(scope="module")
def cpu() -> MoshiEngine:
    return made_engine(SLOTS, sampling=GREEDY)


def run(engine: MoshiEngine, sounds: Mapping[int, Sequence[Pcm16]]) -> dict[int, list[Output]]:
    """Calls in these slots, in one batch."""
    for slot in sounds:
        engine.open(slot, Opening(7))
    rows = list(steps(engine, sounds))
    return {slot: [row[slot] for row in rows] for slot in sounds}


def steps(
    engine: MoshiEngine, sounds: Mapping[int, Sequence[Pcm16]]
) -> Iterator[dict[int, Output]]:
    for number in range(CHUNKS):
        works = [Work(slot, (sounds[slot][number],), Speak.DUPLEX) for slot in sounds]
        yield {output.slot: output for output in engine.step(works)}


def pasts(sound: Sequence[Pcm16], outputs: Sequence[Output]) -> list[Past]:
    return [
        Past((chunk,), output.heard, output.said, Speak.DUPLEX)
        for chunk, output in zip(sound, outputs, strict=False)
    ]


def same(one: Output, other: Output) -> bool:
    if (one.heard, one.said, one.text) != (other.heard, other.said, other.text):
        return False
    if one.pcm is None or other.pcm is None:
        return one.pcm is other.pcm
    return bool(np.abs(one.pcm - other.pcm).max() < SOUND_WITHIN)


def check_same(
    engine: MoshiEngine,
    sounds: Mapping[int, Sequence[Pcm16]],
    expected: Mapping[int, Sequence[Output]],
) -> None:
    """Equal but for a step in fifty, where rounding decides between two tokens.

    After such a step the call is read again with the expected tokens, since all later ones depend
    on it.
    """
    for slot in sounds:
        engine.open(slot, Opening(7))
    differing = 0
    for number, found in enumerate(steps(engine, sounds), 1):
        for slot, output in found.items():
            if not same(output, expected[slot][number - 1]):
                differing += 1
                history = pasts(sounds[slot], expected[slot][:number])
                engine.open(slot, Opening(7, history=history))
    assert differing <= 1 + len(sounds) * CHUNKS // 50


@pytest.mark.parametrize("slots", [[0], [3], [0, 1], [4, 2, 1], [0, 1, 2, 3, 4]])
def test_a_gpu_says_the_same_as_a_cpu_at_every_size(
    gpu: MoshiEngine, cpu: MoshiEngine, slots: list[int]
) -> None:
    sounds = {slot: babble(CHUNKS, slot) for slot in slots}
    expected = run(cpu, sounds)
    for _ in range(2):  # the graphs are replayed
        check_same(gpu, sounds, expected)


def test_a_past_read_again_goes_on_with_the_same_codes(gpu: MoshiEngine) -> None:
    sound = babble(CHUNKS, 1)
    (whole,) = run(gpu, {2: sound}).values()
    differing = 0
    for death in range(4, CHUNKS, 4):
        gpu.open(4, Opening(7, history=pasts(sound, whole[:death])))
        (output,) = gpu.step([Work(4, (sound[death],), Speak.DUPLEX)])
        differing += not same(output, whole[death])
    assert differing <= 1


def test_repeated_calls_take_no_more_memory(gpu: MoshiEngine) -> None:
    sounds = {slot: babble(CHUNKS, slot) for slot in range(SLOTS)}
    run(gpu, sounds)
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    for _ in range(3):
        run(gpu, sounds)
    assert torch.cuda.memory_allocated() <= before
