"""Counts how long a caller has been speaking or silent, from the VAD's 20 ms frames. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from shared.audio import FRAME_MS

ONSET_MS: Final = 40  # shorter is a click
RUN_GAP_MS: Final = 100  # a stop consonant's closure does not break a run of speech
PHRASE_GAP_MS: Final = 300  # words of one phrase follow each other sooner
_LONG_MS: Final = 60_000  # counters stop here


class Endpoint:
    """Counts the current run of speech and the silence since."""

    def __init__(self) -> None:
        self.speech_ms = 0  # of the current run; 0 when there is none
        self.silence_ms = _LONG_MS

    @property
    def onset(self) -> bool:
        """Whether speech may have begun: enough to start listening."""
        return self.speech_ms >= ONSET_MS

    def hear(self, frames: Iterable[bool]) -> int:
        """Count a chunk's frames; return its longest run of speech, in ms."""
        longest = 0
        for speech in frames:
            self._count(speech)
            longest = max(longest, self.speech_ms)
        return longest

    def _count(self, speech: bool) -> None:
        if speech:
            self.speech_ms = min(self.speech_ms + FRAME_MS, _LONG_MS)
            self.silence_ms = 0
            return
        self.silence_ms = min(self.silence_ms + FRAME_MS, _LONG_MS)
        if self.silence_ms >= RUN_GAP_MS:
            self.speech_ms = 0

    def forget_run(self) -> None:
        """Start a new run: earlier speech no longer counts."""
        self.speech_ms = 0

    def state(self) -> dict[str, Any]:
        """What `restore` needs, as msgpack takes it."""
        return {"speech_ms": self.speech_ms, "silence_ms": self.silence_ms}

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> "Endpoint":
        """The endpoint with this state."""
        endpoint = cls()
        endpoint.speech_ms, endpoint.silence_ms = state["speech_ms"], state["silence_ms"]
        return endpoint


class Phrase:
    """Counts the speech of words that follow each other closely."""

    def __init__(self, speech_ms: int = 0, silence_ms: int = _LONG_MS) -> None:
        self.speech_ms = speech_ms  # of the current phrase; 0 when there is none
        self.silence_ms = silence_ms

    def hear(self, frames: Iterable[bool]) -> None:
        """Count a chunk's frames."""
        for speech in frames:
            self.silence_ms = 0 if speech else min(self.silence_ms + FRAME_MS, _LONG_MS)
            if speech:
                self.speech_ms = min(self.speech_ms + FRAME_MS, _LONG_MS)
            elif self.silence_ms >= PHRASE_GAP_MS:
                self.speech_ms = 0
