"""The order of the texts that one pass of Whisper or two gave."""

import pytest

from workers.models.speech_to_text.hypotheses import ranked


def test_one_pass_keeps_its_order_and_its_different_words() -> None:
    texts = [("What is it?", -0.3), ("what is it", -0.4), ("...", -0.5), ("What was it?", -0.6)]
    assert ranked([texts]) == [("What is it?", -0.3), ("What was it?", -0.6)]


def test_two_passes_prefer_what_both_heard() -> None:
    first = [("Four and eight.", -0.3), ("What is eight?", -0.4)]
    second = [("What is eight?", -0.2), ("What is late?", -0.5)]
    found = ranked([first, second])
    assert [text for text, _ in found] == ["What is eight?", "Four and eight.", "What is late?"]
    assert [score for _, score in found] == pytest.approx([-0.3, -0.5, -0.55])
