"""A transcript that ends at a pause is completed; others are left alone."""

from collections.abc import Sequence

import numpy as np
import pytest

from shared.audio import Floats
from workers.engines.cascade.whole_turn import completed

RATE = 24_000


def turn(*, pause_s: float) -> Floats:
    """Two seconds of sound, a pause, two seconds of other sound."""
    first, second = (np.full(2 * RATE, level, np.float32) for level in (0.1, 0.2))
    return np.concatenate([first, np.zeros(round(pause_s * RATE), np.float32), second])


class Ear:
    """Hears the parts as these texts."""

    def __init__(self, before: str, after: str) -> None:
        self.before, self.after = before, after
        self.asked = 0

    def __call__(self, sounds: Sequence[Floats]) -> list[str]:
        self.asked += 1
        levels = [round(float(sound.max()), 1) for sound in sounds]
        assert levels == [0.1, 0.2]
        assert all(2 * RATE < sound.size < 2.5 * RATE for sound in sounds)
        return [self.before, self.after]


DROPPED = "Can you tell me a story?"


@pytest.mark.parametrize(
    ("text", "before", "after", "whole"),
    [
        (DROPPED, DROPPED, "No, a joke.", "Can you tell me a story? No, a joke."),
        (DROPPED, DROPPED, "", DROPPED),  # a noise
        ("The capital of France?", "The capital?", "On friends.", "The capital of France?"),
        ("", DROPPED, "Hello?", "Can you tell me a story? Hello?"),
    ],
)
def test_a_text_without_what_follows_the_pause_gets_it(
    text: str, before: str, after: str, whole: str
) -> None:
    assert completed(turn(pause_s=1.0), text, Ear(before, after)) == whole


def test_nothing_is_heard_again_without_a_pause_or_with_enough_words() -> None:
    ear = Ear(DROPPED, "No, a joke.")
    assert completed(turn(pause_s=0.4), DROPPED, ear) == DROPPED
    text = "can you tell me a story no tell me a joke"
    assert completed(turn(pause_s=1.0), text, ear) == text
    assert completed(np.zeros(RATE, np.float32), "", ear) == ""
    assert ear.asked == 0
