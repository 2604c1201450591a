"""One simulated caller in typical talk: asks, listens to the reply, pauses, and asks again.

Sans I/O: the driver (talking.py) passes time, frames and events in, and sends what `next_chunk`
returns. A chunk is due when its last sample is spoken, as a microphone delivers it.
"""

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from client.measurements import CallMeasurements, speech_end_s
from shared.audio import (
    CHUNK_BYTES,
    CHUNK_MS,
    FRAME_BYTES,
    FRAME_MS,
    SAMPLE_RATE_HZ,
    Pcm16,
)

CHUNK_S: Final = CHUNK_MS / 1_000
FRAME_S: Final = FRAME_MS / 1_000
PATIENCE_S: Final = 15.0  # for the first audible frame, from the end of the question
# The reply of a server that does not report its end is over after so much silence.
QUIET_S: Final = 1.5
PAUSES: Final = (0.7, 1.3)  # of the reply's length, a random factor between them
LEAST_PAUSE_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Question:
    """A spoken question."""

    pcm: bytes  # PCM16, whole chunks
    speech_end_s: float

    @classmethod
    def of(cls, samples: Pcm16) -> "Question":
        """int16 (samples,) at 24 kHz."""
        pcm = samples.astype("<i2").tobytes()
        return cls(pcm + bytes(-len(pcm) % CHUNK_BYTES), speech_end_s(samples))


@dataclass(frozen=True, slots=True)
class TurnTimes:
    """What one turn brought; times in ms, None where they are not known."""

    ended_at: float  # monotonic seconds
    first_audio: float | None  # from the sample with which the server can decide to reply
    from_speech_end: float | None
    gaps: int
    underruns: int

    @property
    def answered(self) -> bool:
        """Whether an audible reply came."""
        return self.from_speech_end is not None


class Talker:
    """One caller. `reports`: the server reports the events of antiphon.v1."""

    def __init__(self, questions: Sequence[Question], seed: int, *, reports: bool) -> None:
        self.turns: list[TurnTimes] = []
        self.reopened = 0  # replies that the server withdrew to listen on
        self.asks = True  # False: ask no more questions
        self._draw = random.Random(seed)
        self._questions = questions
        self._next_question = seed
        self._reports = reports
        self._started_at = self._ask_at = self._speech_end_at = 0.0
        self._chunks = 0
        self._rest = b""  # of the question
        self._found: CallMeasurements | None = None  # of the turn under way
        self._next_frame: int | None = None
        self._played = 0

    @property
    def busy(self) -> bool:
        """Whether a turn is under way."""
        return self._found is not None

    def start(self, now: float, first_pause_s: float) -> None:
        """The call begins: its first sample is spoken now."""
        self._started_at, self._ask_at = now, now + first_pause_s

    def next_chunk(self, now: float) -> bytes:
        """The next 80 ms of the microphone."""
        if self._found is not None and not self._rest:
            self._end_turn(now)
        if self._found is None and self.asks and now >= self._ask_at:
            self._ask()
        self._chunks += 1
        piece, self._rest = self._rest[:CHUNK_BYTES], self._rest[CHUNK_BYTES:]
        return piece or bytes(CHUNK_BYTES)

    def played(self, now: float) -> int:
        """The number of the last frame that was played."""
        if self._found is not None:
            self._played = max(self._played, self._found.played(now))
        return self._played

    def take_frame(self, number: int | None, generation: int, pcm: bytes, now: float) -> None:
        """Audio arrived: one frame, or any number of frames from a server without numbers."""
        if number is not None:
            self._next_frame = number + 1
        if self._found is None:
            return
        if number is not None:
            self._found.take_frame(number, generation, pcm, now)
            return
        for at in range(0, len(pcm), FRAME_BYTES):
            self._found.take_frame(None, generation, pcm[at : at + FRAME_BYTES], now)

    def take_event(self, event: dict[str, Any], now: float) -> None:
        """A JSON message arrived."""
        if event["type"] == "clear":
            self._next_frame = event["next_frame"]
            if self._found is not None:  # the turn goes on: only its last reply counts
                self.reopened += 1
                self._found = CallMeasurements(_next_frame=self._next_frame)
        elif self._found is not None:
            self._found.take_event(event, now)

    def give_up(self, now: float) -> None:
        """The measurement ends: a turn under way counts as it is."""
        if self._found is not None:
            self._note(self._found, now)

    def _ask(self) -> None:
        question = self._questions[self._next_question % len(self._questions)]
        self._next_question += 1
        begun_at = self._started_at + self._chunks * CHUNK_S
        self._speech_end_at = begun_at + question.speech_end_s
        self._rest = question.pcm
        self._found = CallMeasurements(_next_frame=self._next_frame)

    def _end_turn(self, now: float) -> None:
        """End the turn when its reply was played to its end, or when none has come in time."""
        found = self._found
        if found is None or not self._is_over(found, now):
            return
        self.played(now)
        self._note(found, now)
        reply_s = len(found.frames) * FRAME_S
        self._ask_at = now + max(LEAST_PAUSE_S, reply_s * self._draw.uniform(*PAUSES))

    def _is_over(self, found: CallMeasurements, now: float) -> bool:
        audible = found.first_audible_at() is not None
        if not audible and now > self._speech_end_at + PATIENCE_S:
            return True
        if self._reports:
            return found.answered and not found.reply_open and not found.playing(now)
        return audible and found.quiet_s(now) > QUIET_S

    def _note(self, found: CallMeasurements, now: float) -> None:
        audible_at, decided = found.first_audible_at(), found.decided_sample
        decided_at = None if decided is None else self._started_at + decided / SAMPLE_RATE_HZ
        self.turns.append(
            TurnTimes(
                ended_at=now,
                first_audio=_ms(decided_at, audible_at),
                from_speech_end=_ms(self._speech_end_at, audible_at),
                gaps=found.gaps,
                underruns=found.underruns,
            )
        )
        self._found = None


def _ms(since: float | None, at: float | None) -> float | None:
    return None if since is None or at is None else (at - since) * 1_000


def nearest_rank(values: Iterable[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed; NaN for none."""
    ordered = sorted(values)
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else math.nan
