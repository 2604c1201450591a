"""Hears doubtful turns twice: Whisper hears every turn, and Moonshine those that Whisper doubts.

Both listeners rate the texts of both. Moonshine makes other errors than Whisper, so what both find
likely is right more often.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Protocol

import numpy as np

from shared.audio import Floats
from workers.engines.cascade.parts import SpeechToText, TurnTranscript
from workers.models.speech_to_text.hypotheses import ranked
from workers.models.speech_to_text.resample import to_16_khz
from workers.models.speech_to_text.whisper_mel import RATE_HZ

DOUBTED: Final = -0.25  # mean log probability of a transcript below which a second one listens
# The second listener does not count where it doubts itself: in noise it hears less than Whisper.
TRUSTED: Final = -0.5
SHARES: Final = (0.65, 0.35)  # of the two listeners in a text's log probability


class HeardSound(Protocol):
    """What a second listener heard in one sound."""

    @property
    def text(self) -> str:
        """What was said."""

    @property
    def log_prob(self) -> float:
        """Its mean log probability a token."""

    def log_probs(self, texts: Sequence[str]) -> list[float]:
        """The mean log probability a token of each of these texts."""


class SecondListener(Protocol):
    """Hears one sound, and says how likely a text is in it."""

    def hear(self, sound: Floats) -> HeardSound:
        """Samples (N,) float32 at 16 kHz, at most 30 s."""


class TwoListeners:
    """A speech to text whose doubtful final transcripts a second listener mends."""

    def __init__(self, first: SpeechToText, second: SecondListener) -> None:
        self._first = first
        self._second = second

    def transcribe(self, turns: Sequence[Floats], *, final: bool = True) -> list[TurnTranscript]:
        """See `SpeechToText`. Whether somebody spoke is the first listener's decision."""
        found = self._first.transcribe(turns, final=final)
        for at, transcript in enumerate(found):
            if final and transcript.text and transcript.log_prob < DOUBTED:
                found[at] = self._by_both(transcript, to_16_khz(turns[at]))
        return found

    def _by_both(self, transcript: TurnTranscript, sound: Floats) -> TurnTranscript:
        """The transcript with the texts of both listeners, by what both find likely."""
        heard = self._second.hear(sound)
        if heard.log_prob < TRUSTED:
            return transcript
        first = [(transcript.text, transcript.log_prob), *transcript.others]
        texts = [text for text, _ in ranked([[*first, (heard.text, heard.log_prob)]])]
        second = list(zip(texts, heard.log_probs(texts), strict=True))
        (text, log_prob), *others = ranked([first, second], SHARES)
        return replace(transcript, text=text, log_prob=log_prob, others=tuple(others))

    def warm_up(self) -> None:
        """See `SpeechToText`."""
        self._first.warm_up()
        self._second.hear(np.zeros(2 * RATE_HZ, np.float32)).log_probs(["Hello."])
