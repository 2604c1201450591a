"""Hears what a transcriber drops: the words after a long pause within a turn.

Whisper now and then ends its transcript at a pause. Then the text has too few words for the sound,
and none beyond those before the pause. The cascade then hears both parts again, each alone. Pure,
except for `hear`.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.audio import FRAME_MS, FRAME_SAMPLES, Floats
from workers.engines.cascade.turn_audio import joined, loud_frames, new_words

PAUSE_FRAMES: Final = 600 // FRAME_MS
MARGIN_FRAMES: Final = 200 // FRAME_MS  # of the pause, kept with each part
SPARSE_WORDS_PER_S: Final = 2.2  # of sound; speech has three

Hear = Callable[[Sequence[Floats]], Sequence[str]]


def completed(sound: Floats, text: str, hear: Hear) -> str:
    """The text of a turn's sound, (samples,) float32, with the words that it lacks.

    `hear` transcribes sounds.
    """
    loud = loud_frames(sound)
    parts = _around_last_pause(sound, loud)
    seconds = loud.size * FRAME_MS / 1_000
    if parts is None or len(text.split()) >= SPARSE_WORDS_PER_S * seconds:
        return text
    before, after = hear(parts)
    if not after or new_words(before, text):
        return text
    return joined(text or before, after)


def _around_last_pause(sound: Floats, loud: NDArray[np.intp]) -> tuple[Floats, Floats] | None:
    """The sound before and after its last long pause; None without one."""
    pauses = np.flatnonzero(np.diff(loud) > PAUSE_FRAMES)
    if not pauses.size:
        return None
    end, start = int(loud[pauses[-1]]), int(loud[pauses[-1] + 1])
    return (
        sound[: (end + MARGIN_FRAMES) * FRAME_SAMPLES],
        sound[(start - MARGIN_FRAMES) * FRAME_SAMPLES :],
    )
