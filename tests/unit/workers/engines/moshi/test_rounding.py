"""Where two codes are almost equally near, the batch and a takeover must not decide."""

import numpy as np
import pytest
import torch

from tests.chaos.talk import Babble
from tests.unit.workers.engines.moshi.made import shared_folder
from workers.engines.moshi.load import codec_dtype
from workers.models.moshi.checkpoint import load_mimi, open_folder
from workers.models.moshi.mimi import Mimi
from workers.models.moshi.streaming import Rows

# In this frame of this call the distances to two codes differ by 2e-7. In float32 one row chose
# code 7 and several rows code 50.
CALL, FIRST, CLOSE, CODES = Babble(1, 193), 150, 189, [36, 50, 15, 12, 27, 45, 6, 7]


@pytest.fixture(scope="module")
def mimi() -> Mimi:
    made = load_mimi(open_folder(shared_folder()), dtype=codec_dtype("cpu"))
    made.allot(8)
    return made


@torch.inference_mode()
def codes(mimi: Mimi, *, first: int, rows: int, piece: int) -> list[int]:
    """The close frame's codes in the last of so many rows, after a past that begins at `first`."""
    slot = rows - 1
    mimi.reset(slot)
    chunks = [np.frombuffer(CALL.chunk(i), "<i2") for i in range(first, CLOSE + 1)]
    sound = torch.from_numpy(np.stack(chunks)).float() / 32_768
    read = (len(sound) - 1) // piece * piece if piece > 1 else 0
    alone = Rows(slot, torch.ones(1, dtype=torch.bool))
    for at in range(0, read, piece):
        mimi.encode(sound[at : at + piece].reshape(1, -1), alone)
    active = torch.arange(rows) == slot
    for chunk in sound[read:]:
        found = mimi.encode(chunk * active[:, None], Rows(0, active))
    chosen: list[int] = found[slot, :, 0].tolist()
    return chosen


@pytest.mark.parametrize("rows", [1, 2, 4, 8])
def test_the_callers_codes_depend_on_no_neighbour_and_on_no_takeover(mimi: Mimi, rows: int) -> None:
    assert codes(mimi, first=FIRST, rows=rows, piece=1) == CODES
    assert codes(mimi, first=FIRST + 7, rows=rows, piece=16) == CODES
