"""Decides how much silence ends a turn. Pure."""

import math
from typing import Final

from shared.modes import DEFAULT_SILENCE_MS

# After this much silence, an engine that prepares may get the answer ready. Shorter gaps are inside
# words (`endpointing.RUN_GAP_MS`). With 200 ms the answer was not ready when the turn ended.
PAUSE_MS: Final = 100
# The silence that ends a turn if its words sound finished with this probability or more ...
FINISHED: Final = 0.9
FINISHED_MS: Final = 250
# ... and with this probability or less, or while the engine has no opinion yet.
UNFINISHED: Final = 0.05
UNFINISHED_MS: Final = 900
# In stream mode a turn ends after two thirds of the silence, but not after less than this.
LEAST_STREAM_MS: Final = 200


def silence_for(finished: float) -> int:
    """How finished the words sound, 0 to 1 -> the silence that ends the turn, in ms.

    From .9 to .05 it falls linearly in the logarithm of the probability: each halving adds 156 ms.
    """
    likely = min(max(finished, UNFINISHED), FINISHED)
    share = math.log(likely / UNFINISHED) / math.log(FINISHED / UNFINISHED)
    return round(UNFINISHED_MS + share * (FINISHED_MS - UNFINISHED_MS))


def turn_silence_ms(
    fixed_ms: int | None, finished: float | None, *, prepares: bool, stream: bool
) -> int:
    """The silence that ends a turn.

    `fixed_ms`: what the operator or the caller asked for. `finished`: the engine's opinion in this
    pause; None: it has none yet. `prepares`: the engine gives such opinions.
    """
    if fixed_ms is not None:
        return fixed_ms
    silence_ms = DEFAULT_SILENCE_MS
    if prepares:
        silence_ms = UNFINISHED_MS if finished is None else silence_for(finished)
    return max(LEAST_STREAM_MS, silence_ms * 2 // 3) if stream else silence_ms
