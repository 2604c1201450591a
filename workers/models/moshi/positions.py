"""Applies Moshi's delays: which tokens a position reads, and which codes make a frame of sound.

Step t reads the text and codes that step t - 1 said. Of the caller it reads the first code of frame
t and the others of frame t - 1. A call's first positions hold initial tokens. `said` is (T, 9):
text and eight codes; `heard` is (T, 8).
"""

import numpy as np
from numpy.typing import NDArray

from workers.models.moshi.config import CODES, LmConfig

Tokens = NDArray[np.int64]


def initial(config: LmConfig) -> Tokens:
    """The initial tokens, (17,)."""
    return np.array([config.texts, *[config.card] * (2 * CODES)], dtype=np.int64)


def positions(said: Tokens, heard: Tokens, config: LmConfig) -> Tokens:
    """What the positions of steps 0 to T - 1 read, (T, 17).

    The last row of `said` is unused.
    """
    steps = len(heard)
    rows = np.tile(initial(config), (steps, 1))
    for stream, delay in enumerate(config.delays):
        first = delay + 1
        if stream <= CODES:
            rows[first:, stream] = said[first - 1 : steps - 1, stream]
        else:
            rows[first:, stream] = heard[first - delay : steps - delay, stream - CODES - 1]
    return rows


def frames(said: Tokens, config: LmConfig) -> Tokens:
    """The frames of sound that steps 0 to T - 1 complete, (T - lag, 8)."""
    lag = max(config.delays)
    own = config.delays[1 : CODES + 1]
    steps = len(said) - lag
    return np.stack(
        [said[delay : delay + steps, code + 1] for code, delay in enumerate(own)], axis=-1
    )
