"""What Whisper's encoder makes of the silence behind speech, kept so that it need not be computed.

Whisper was trained on 30 s of sound. On its own short length it loops; padding to 30 s costs ten
times the time. So the encoder reads the speech and one second more, and behind its states follow
those that silence has at the same places of a whole context, averaged over a few utterances (they
differ little: cosine .998). Tails of noise or zeros are worse; of other places, they loop.

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
    """Utterances (samples,) at 16 kHz -> the mean of their states in a whole context, (P, D)."""
    padded = [np.pad(said, (0, CONTEXT_SAMPLES - len(said))) for said in spoken]
    total = sum((encode(sound).astype(np.float64) for sound in padded), start=np.float64(0))
    mean: Floats = np.asarray(total / len(spoken), dtype=np.float32)
    return mean


def tail_of(model: str, encode: Encode, folder: Path = FOLDER) -> Floats:
    """The tail (P, D) of the model with this sha256: the stored one, or computed now (seconds)."""
    data, facts = read_file(folder, FILE)
    arrays = load_arrays(data)
    if facts["model"] == model:
        stored: Floats = arrays["tail"].astype(np.float32)
        return stored
    ends = [0, *arrays["ends"].tolist()]
    spoken = floats_from_pcm16(arrays["spoken"])
    return computed_tail([spoken[a:b] for a, b in pairwise(ends)], encode)
