"""Two listeners: whom a doubtful turn's texts come from, and which one both prefer."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from shared.audio import Floats
from workers.engines.cascade.parts import TurnTranscript
from workers.models.speech_to_text.two_listeners import TwoListeners

TURN = np.zeros(24_000, np.float32)


class _First:
    """Hears the same transcripts in any turns."""

    def __init__(self, *transcripts: TurnTranscript) -> None:
        self._transcripts = transcripts
        self.warm = False

    def transcribe(self, turns: Sequence[Floats], *, final: bool = True) -> list[TurnTranscript]:
        return list(self._transcripts)

    def warm_up(self) -> None:
        self.warm = True


class _Second:
    """Hears `text` in every sound, and rates texts by a table."""

    def __init__(self, text: str, rates: Mapping[str, float], log_prob: float = -0.3) -> None:
        self.text = text
        self.log_prob = log_prob
        self._rates = rates
        self.heard: list[int] = []  # the samples of each sound

    def hear(self, sound: Floats) -> "_Second":
        self.heard.append(len(sound))
        return self

    def log_probs(self, texts: Sequence[str]) -> list[float]:
        return [self._rates[text] for text in texts]


DOUBTED = TurnTranscript("What is wine?", 0.1, -0.4, (("What is nine?", -0.5),))
SURE = TurnTranscript("What is nine?", 0.1, -0.2, (("What is wine?", -0.6),))
RATES = {"What is wine?": -1.5, "What is nine?": -0.4, "What a line.": -0.3, "Hello.": -1.0}


def test_a_doubtful_turn_is_what_both_find_likely() -> None:
    second = _Second("What a line.", RATES)
    (found,) = TwoListeners(_First(DOUBTED), second).transcribe([TURN])
    assert second.heard == [16_000]
    assert found.text == "What is nine?"
    assert found.log_prob == pytest.approx(0.65 * -0.5 + 0.35 * -0.4)
    assert [text for text, _ in found.others] == ["What a line.", "What is wine?"]
    assert [score for _, score in found.others] == pytest.approx([-0.56, -0.785])
    assert found.no_speech == DOUBTED.no_speech


def test_a_second_listener_that_doubts_itself_changes_nothing() -> None:
    second = _Second("What a line.", RATES, log_prob=-0.6)
    assert TwoListeners(_First(DOUBTED), second).transcribe([TURN]) == [DOUBTED]


def test_clear_turns_silence_and_partials_are_heard_once() -> None:
    silence = TurnTranscript("", 0.9, -2.0)
    second = _Second("What a line.", RATES)
    both = TwoListeners(_First(SURE, silence), second)
    assert both.transcribe([TURN, TURN]) == [SURE, silence]
    assert TwoListeners(_First(DOUBTED), second).transcribe([TURN], final=False) == [DOUBTED]
    assert not second.heard


def test_a_second_listener_that_hears_nothing_still_rates_the_texts() -> None:
    (found,) = TwoListeners(_First(DOUBTED), _Second("", RATES)).transcribe([TURN])
    assert found.text == "What is nine?"
    assert len(found.others) == 1


def test_both_are_warmed_up() -> None:
    first, second = _First(), _Second("", RATES)
    TwoListeners(first, second).warm_up()
    assert first.warm
    assert second.heard
