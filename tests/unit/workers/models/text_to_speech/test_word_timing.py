"""Where words lie."""

from collections.abc import Sequence

import numpy as np
import pytest

from workers.models.text_to_speech.word_timing import (
    SpokenWords,
    WordSpans,
    rendering_of_parts,
    word_spans,
)


def test_durations_are_scaled_to_the_samples() -> None:
    lasting = np.array([2, 1, 1, 1, 3, 2])  # silence, a, b, space, c, silence
    assert word_spans(100, ["ab", "c"], lasting) == WordSpans((20, 50), (40, 80))
    with pytest.raises(ValueError, match="a duration a phoneme"):
        word_spans(100, ["ab"], lasting)


def say(words: Sequence[str]) -> SpokenWords:
    """100 samples of silence, 100 a character and space, 100 of silence."""
    pcm = np.ones(100 * (len(" ".join(words)) + 2), np.float32)
    pcm[:100] = pcm[-100:] = 0.0
    lasting = np.ones(len(" ".join(words)) + 2)
    return SpokenWords(pcm, word_spans(len(pcm), words, lasting), np.array([1.0], np.float32))


def test_a_word_without_sound_lies_where_the_next_one_does() -> None:
    made = rendering_of_parts(["ab", "", "c", ""], 100, say)
    assert made.begins == (100, 400, 400, 600)
    assert made.bounds == (0, 350, 350, 600, 600)
    assert made.pitch is not None


def test_a_long_sentence_is_said_in_parts_that_end_at_punctuation() -> None:
    words = ["abc", "def,", "ghi", "jkl"]
    parts: list[Sequence[str]] = []

    def noted(part: Sequence[str]) -> SpokenWords:
        parts.append(part)
        return say(part)

    made = rendering_of_parts(words, 12, noted)
    assert parts == [["abc", "def,"], ["ghi", "jkl"]]
    assert list(made.begins) == sorted(made.begins)
    assert made.bounds[-1] == len(made.pcm)
    assert made.pitch is None
    assert rendering_of_parts(["a" * 30, "b"], 12, noted).bounds[0] == 0


def test_nothing_is_said_of_nothing() -> None:
    made = rendering_of_parts(["", ""], 12, say)
    assert (len(made.pcm), made.begins, made.bounds) == (0, (0, 0), (0, 0, 0))
