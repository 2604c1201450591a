"""Prepares a turn's audio for the transcriber, and compares what it gives. Pure."""

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.audio import CHUNK_MS, FRAME_SAMPLES, Floats, Pcm16, floats_from_pcm16

# Silence at a turn's end is not passed on: longer silence must not change a transcript.
KEEP_SILENCE_SAMPLES: Final = 12_000  # 500 ms
# A turn of 16 s is cut at its quietest place from 8 to 14 s.
LONG_CHUNKS: Final = 16_000 // CHUNK_MS
CUT_FROM_CHUNKS: Final = 8_000 // CHUNK_MS
CUT_TO_CHUNKS: Final = 14_000 // CHUNK_MS


def joined(*texts: str) -> str:
    """The texts that are not empty, with a space between them."""
    return " ".join(filter(None, texts))


def new_words(before: str, after: str) -> str:
    """The words that a longer recording of the same speech has at its end.

    Both transcripts may spell what they share differently.
    """
    old, new = before.lower().split(), after.split()
    same = SequenceMatcher(None, old, [word.lower() for word in new], autojunk=False)
    blocks = [block for block in same.get_matching_blocks() if block.size]
    known = blocks[-1].b + blocks[-1].size if blocks else len(old)
    left = len(old) - (blocks[-1].a + blocks[-1].size) if blocks else 0
    return " ".join(new[known + left :])


def sound_of(chunks: Sequence[Pcm16]) -> Floats:
    """Chunks (1920,) int16 -> (samples,) float32 of full scale 1."""
    return floats_from_pcm16(np.concatenate(chunks)) if chunks else np.zeros(0, np.float32)


def place_to_cut(chunks: Sequence[Pcm16]) -> int:
    """The chunks of a long turn with words that can be settled; 0: the turn is short."""
    if len(chunks) < LONG_CHUNKS:
        return 0
    return quietest(chunks, CUT_FROM_CHUNKS, CUT_TO_CHUNKS)


def quietest(chunks: Sequence[Pcm16], first: int, last: int) -> int:
    """Where to cut a turn, from `first` to `last` chunks: after the quietest 240 ms around it."""
    level = np.array([np.mean(np.square(floats_from_pcm16(chunk))) for chunk in chunks[: last + 1]])
    around = level[:-2] + 2 * level[1:-1] + level[2:]
    return int(first + np.argmin(around[first - 2 :]))


def loud_frames(samples: Floats) -> NDArray[np.intp]:
    """The numbers of the 20 ms frames that have at least 2 % of the loudest frame's level."""
    count = samples.size // FRAME_SAMPLES
    frames = samples[: count * FRAME_SAMPLES].reshape(count, FRAME_SAMPLES)
    level = np.sqrt(np.mean(np.square(frames), axis=1)) if count else np.zeros(0)
    return np.flatnonzero(level > 0.02 * level.max(initial=0.0))


def trimmed(samples: Floats) -> Floats:
    """A turn without the silence at its end that goes beyond 500 ms."""
    loud = loud_frames(samples)
    if not loud.size:
        return samples
    return samples[: (int(loud[-1]) + 1) * FRAME_SAMPLES + KEEP_SILENCE_SAMPLES]
