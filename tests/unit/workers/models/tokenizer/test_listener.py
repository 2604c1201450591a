"""The listener: streaming gives the offline states, and slots are independent."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from shared.audio import CHUNK_SAMPLES
from tests.tolerances import FLOAT32_SUMS
from workers.models.checkpoint import write_part
from workers.models.mel import LogMel
from workers.models.tokenizer.listener import (
    LISTENERS,
    Listener,
    ListenerConfig,
    ListenerStream,
    encode,
    load_listener,
    states_from_bytes,
    states_to_bytes,
)

SMALL = ListenerConfig(channels=(8, 8, 12), width=16, layers=2, heads=2, window=5)
TOLERANCE = FLOAT32_SUMS


@pytest.fixture
def listener() -> Listener:
    torch.manual_seed(0)
    return Listener(SMALL).eval()


def speech(rows: int, chunks: int, seed: int = 1) -> Tensor:
    draws = torch.Generator().manual_seed(seed)
    return 0.1 * torch.randn(rows, chunks * CHUNK_SAMPLES, generator=draws)


@torch.no_grad()
def offline(listener: Listener, samples: Tensor) -> Tensor:
    states: Tensor = listener(LogMel()(samples)).states
    return states


@pytest.mark.parametrize("chunks", [1, 2, 5, 30])
def test_any_chunking_equals_offline(listener: Listener, chunks: int) -> None:
    samples = speech(2, 30)
    ears = ListenerStream(listener, slots=3)
    parts = [
        ears.hear(part, [2, 0]) for part in torch.split(samples, chunks * CHUNK_SAMPLES, dim=1)
    ]
    assert (torch.cat(parts, 1) - offline(listener, samples)).abs().max() <= TOLERANCE


def test_slots_are_independent_and_reset_begins_afresh(listener: Listener) -> None:
    ears = ListenerStream(listener, slots=2)
    old, new = speech(1, 6), speech(1, 6, seed=2)
    ears.hear(old[:, : 4 * CHUNK_SAMPLES], [0])
    ears.hear(speech(1, 3, seed=3), [1])
    ears.reset([1])
    both = torch.cat([old[:, 4 * CHUNK_SAMPLES :], new[:, : 2 * CHUNK_SAMPLES]])
    states = ears.hear(both, [0, 1])
    assert (states[0] - offline(listener, old)[0, 4:]).abs().max() <= TOLERANCE
    assert (states[1] - offline(listener, new)[0, :2]).abs().max() <= TOLERANCE


def test_part_of_a_chunk_is_refused(listener: Listener) -> None:
    with pytest.raises(ValueError, match="whole chunks of 1920 samples, got 100"):
        ListenerStream(listener, slots=1).hear(torch.zeros(1, 100), [0])


def test_encode_of_a_padded_batch_equals_each_alone(listener: Listener) -> None:
    front = LogMel()
    mels = [front(speech(1, n, seed=n))[0].numpy().astype(np.float16) for n in (3, 7)]
    together = encode(listener, mels)
    assert [len(states) for states in together] == [3, 7]
    alone = encode(listener, mels[:1])[0]
    assert np.abs(together[0].astype(float) - alone.astype(float)).max() <= 2e-3  # float16


def test_logged_states_come_back_as_logged() -> None:
    states = torch.randn(3, 256, generator=torch.Generator().manual_seed(0))
    logged = states_to_bytes(states)
    assert [len(step) for step in logged] == [512, 512, 512]
    assert torch.equal(states_from_bytes(logged), states.half().float())


@pytest.mark.parametrize("preset", sorted(LISTENERS))
def test_presets_give_a_state_a_step(preset: str) -> None:
    hearing = Listener(LISTENERS[preset])(torch.zeros(1, 16, 80))
    config = LISTENERS[preset]
    assert hearing.states.shape == (1, 2, config.width)
    assert hearing.phones.shape == (1, 8, config.phones)
    assert hearing.characters.shape == (1, 8, config.characters)


def test_weights_come_back_from_their_folder(listener: Listener, tmp_path: Path) -> None:
    write_part(tmp_path, "listener", listener, SMALL, {})
    loaded = load_listener(tmp_path)
    samples = speech(1, 4)
    # bfloat16 keeps 8 bits of a weight.
    assert (offline(loaded, samples) - offline(listener, samples)).abs().max() < 0.2
