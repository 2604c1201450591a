"""Stores Whisper's encoder states of the silence after speech, so that no turn computes them.

Whisper was trained on 30 s of sound. It loops on shorter input, and padding to 30 s takes ten times
as long. So the encoder reads the speech and one more second. Stored states of silence follow, taken
at the same positions of a whole context and averaged over a few utterances (they differ little:
cosine .998). Tails of noise or zeros are worse, and tails from other positions make it loop.

Letters: P positions of 20 ms, D the encoder's width.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from safetensors.numpy import load as load_arrays

from shared.audio import Floats, floats_from_pcm16
from workers.models.recorded_files import read_file

FOLDER: Final = Path(__file__).parents[2] / "weights" / "cascade"
FILE: Final = "silent_tail.safetensors"
POSITIONS: Final = 1_500  # of the whole context
CONTEXT_SAMPLES: Final = 480_000  # 30 s at 16 kHz

Encode = Callable[[Floats], Floats]  # (CONTEXT_SAMPLES,) at 16 kHz -> (P, D)


def computed_tail(spoken: Sequence[Floats], encode: Encode) -> Floats:
    """Utterances (samples,) at 16 kHz -> their mean states in a whole context, (P, D)."""
    padded = [np.pad(said, (0, CONTEXT_SAMPLES - len(said))) for said in spoken]
    total = sum((encode(sound).astype(np.float64) for sound in padded), start=np.float64(0))
    mean: Floats = np.asarray(total / len(spoken), dtype=np.float32)
    return mean


def tail_of(model: str, encode: Encode, folder: Path = FOLDER) -> Floats:
    """The tail (P, D) for the model with this sha256: stored, or computed now in some seconds."""
    data, facts = read_file(folder, FILE)
    arrays = load_arrays(data)
    if facts["model"] == model:
        stored: Floats = arrays["tail"].astype(np.float32)
        return stored
    ends = [0, *arrays["ends"].tolist()]
    spoken = floats_from_pcm16(arrays["spoken"])
    return computed_tail([spoken[a:b] for a, b in pairwise(ends)], encode)
