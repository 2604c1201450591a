"""Computes where words lie in a voice's sound from the duration of each phoneme. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.audio import SAMPLE_RATE_HZ, Floats
from workers.models.text_to_speech.sentence_speaker import QUIET, Rendering

EDGE: Final = SAMPLE_RATE_HZ * 60 // 1000  # of silence kept where parts of a long sentence meet
_PAUSES: Final = ",;:.!?…—"


@dataclass(frozen=True, slots=True)
class SpokenWords:
    """Words of one rendering."""

    pcm: Floats
    words: "WordSpans"
    pitch: Floats | None = None


@dataclass(frozen=True, slots=True)
class WordSpans:
    """Where words begin and end, in samples."""

    begins: tuple[int, ...]  # each word's first phoneme
    ends: tuple[int, ...]  # the end of its last one, with the pauses of its punctuation

    def bound(self, word: int) -> int:
        """The middle between a word and the one before it."""
        return (self.ends[word - 1] + self.begins[word]) // 2 if word else 0


def word_spans(samples: int, words: Sequence[str], lasting: NDArray[np.floating]) -> WordSpans:
    """Words as phonemes, spoken with spaces between them -> where each lies.

    `lasting` has a duration, in any unit, for the silence in front, each phoneme and space, and the
    silence at the end. Together they fill `samples`.
    """
    if len(lasting) != sum(map(len, words)) + len(words) + 1:
        raise ValueError(f"Expected a duration a phoneme of {words}, got {len(lasting)}")
    ends_at = np.rint(np.cumsum(lasting) * (samples / lasting.sum())).astype(int).tolist()
    begins, ends = [], []
    at = 0  # the phoneme after which a word begins
    for word in words:
        begins.append(ends_at[at])
        ends.append(ends_at[at + len(word)])
        at += len(word) + 1
    return WordSpans(tuple(begins), tuple(ends))


def rendering_of_parts(
    words: Sequence[str], longest: int, say: Callable[[Sequence[str]], SpokenWords]
) -> Rendering:
    """Words as phonemes, some empty -> one rendering, made in parts of at most `longest`."""
    said = [i for i, word in enumerate(words) if word]
    if not said:
        return Rendering(np.zeros(0, np.float32), (0,) * len(words), (0,) * (len(words) + 1))
    pieces: list[Floats] = []
    begins: dict[int, int] = {}
    ends: dict[int, int] = {}
    offset = 0
    parts = _parts([words[i] for i in said], longest)
    for number, part in enumerate(parts):
        spoken = say([words[said[k]] for k in part])
        low, high = _edges(spoken.pcm, number > 0, number < len(parts) - 1)
        found = spoken.words
        for k, begin, end in zip(part, found.begins, found.ends, strict=True):
            begins[said[k]] = offset + max(0, begin - low)
            ends[said[k]] = offset + max(0, min(end, high) - low)
        pieces.append(spoken.pcm[low:high])
        offset += high - low
    made = _rendering(np.concatenate(pieces), len(words), begins, ends)
    return replace(made, pitch=spoken.pitch) if len(parts) == 1 else made


def _rendering(pcm: Floats, count: int, begins: dict[int, int], ends: dict[int, int]) -> Rendering:
    """Fill in the words without sound: they begin, and are cut, where the next word does."""
    begin, bound = [len(pcm)] * count, [len(pcm)] * (count + 1)
    previous = {b: a for a, b in pairwise(sorted(ends))}
    for i in reversed(range(count)):
        if i in begins:
            begin[i] = begins[i]
            bound[i] = (ends[previous[i]] + begins[i]) // 2 if i in previous else 0
        elif i + 1 < count:
            begin[i], bound[i] = begin[i + 1], bound[i + 1]
    return Rendering(pcm, tuple(begin), tuple(bound))


def _edges(pcm: Floats, front: bool, back: bool) -> tuple[int, int]:
    """The range of a part that remains after its silence is shortened in front or at the back."""
    loud = np.flatnonzero(np.abs(pcm) > QUIET)
    if not len(loud):
        return 0, len(pcm)
    low = max(0, int(loud[0]) - EDGE) if front else 0
    return low, min(len(pcm), int(loud[-1]) + EDGE) if back else len(pcm)


def _parts(words: Sequence[str], longest: int) -> list[range]:
    """Runs of words of at most `longest` characters, cut after punctuation if there is some."""
    parts = []
    start = 0
    while start < len(words):
        lengths = list(accumulate(len(word) + 1 for word in words[start:]))
        fitting = max(1, sum(length <= longest + 1 for length in lengths))
        end = start + fitting
        if end < len(words):
            marked = [k + 1 for k in range(start, end) if words[k][-1] in _PAUSES]
            end = marked[-1] if marked else end
        parts.append(range(start, end))
        start = end
    return parts
