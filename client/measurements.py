"""Measures a call: its frames, words, gaps, underruns and times. Sans I/O.

Times are monotonic seconds. A simulated player takes the place of a loudspeaker: it starts 60 ms
after a reply's first frame and plays one frame every 20 ms.
"""

from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final

import numpy as np

from shared.audio import CHUNK_MS, FRAME_MS, SAMPLE_RATE_HZ, Pcm16, pcm16_from_bytes

FRAME_S: Final = FRAME_MS / 1_000  # 0.02
PREBUFFER_S: Final = 0.060
AUDIBLE: Final = 32_768 * 10 ** (-50 / 20)  # -50 dBFS: 103.6
LOUD_RATIO: Final = 10 ** (-35 / 20)  # of the loudest 20 ms of a recording


@dataclass(slots=True)
class ReceivedFrame:
    """One frame: when it arrived, and when a player without a buffer would play it."""

    number: int
    generation: int
    pcm: bytes
    received_at: float
    plays_at: float

    @property
    def audible(self) -> bool:
        """Whether a sample differs from the mean by over -50 dBFS: an offset is no sound."""
        samples = pcm16_from_bytes(self.pcm).astype(np.float64)
        return bool(len(samples) and np.abs(samples - samples.mean()).max() > AUDIBLE)


@dataclass(frozen=True, slots=True)
class ReplyText:
    """Words of a reply, and the frame with which they begin."""

    generation: int
    frame: int
    text: str


@dataclass(slots=True)
class CallMeasurements:
    """All that the server sent in one call."""

    rate_hz: int = SAMPLE_RATE_HZ  # of the frames and of positions
    frames: list[ReceivedFrame] = field(default_factory=list)
    texts: list[ReplyText] = field(default_factory=list)
    transcripts: list[str] = field(default_factory=list)  # of the caller's turns
    decided_sample: int | None = None  # the caller's sample that ended the turn for the server
    gaps: int = 0
    underruns: int = 0
    reply_open: bool = False  # the caller's turn or its reply is under way
    answered: bool = False
    _next_frame: int | None = None
    _dry_at: float = float("-inf")  # when the simulated player runs out

    @property
    def last_frame(self) -> int:
        """The number of the last frame that arrived, or will never arrive; 0: none."""
        return (self._next_frame or 1) - 1

    def take_frame(self, number: int | None, generation: int, pcm: bytes, now: float) -> None:
        """A frame arrived; `number` is None if the server sends none."""
        number = (self._next_frame or 1) if number is None else number
        if self._next_frame is not None and number > self._next_frame:
            self.gaps += number - self._next_frame
        self._next_frame = number + 1
        self._play(now)
        plays_at = max(now, self.frames[-1].plays_at + FRAME_S if self.frames else now)
        self.frames.append(ReceivedFrame(number, generation, pcm, now, plays_at))

    def take_event(self, event: dict[str, Any], now: float) -> None:
        """A JSON message arrived."""
        match event["type"]:
            case "speech_started":
                self.reply_open = True
            case "speech_stopped":
                if self.decided_sample is None:
                    self.decided_sample = event["sample"] + self.rate_hz * CHUNK_MS // 1_000
            case "heard" if event["final"]:
                self.transcripts.append(event["text"])
            case "text":
                words = ReplyText(event["generation"], event["frame"], event["text"])
                self.texts.append(words)
            case "reply_started":
                self.reply_open = self.answered = True
                self._dry_at = float("-inf")  # silence before a reply is no underrun
            case "reply_done":
                self.reply_open = False
            case "skip":
                self._next_frame = event["last"] + 1
            case "clear":
                self._clear(event["generation"], event["next_frame"], now)

    @property
    def transcript(self) -> str:
        """The words of all replies, a space between two of them."""
        replies = groupby(self.texts, key=lambda words: words.generation)
        texts = ("".join(words.text for words in reply) for _, reply in replies)
        return " ".join(" ".join(texts).split())

    def played(self, now: float) -> int:
        """The number of the last frame that was played."""
        return max((f.number for f in self.frames if f.plays_at + FRAME_S <= now), default=0)

    def first_audible_at(self) -> float | None:
        """When the first audible frame was played."""
        return next((f.plays_at for f in self.frames if f.audible), None)

    def quiet_s(self, now: float) -> float:
        """How long no audible frame has been playing."""
        return now - max((f.plays_at for f in self.frames if f.audible), default=now)

    def playing(self, now: float) -> bool:
        """Whether the player still has something to play."""
        return bool(self.frames) and now < self.frames[-1].plays_at + FRAME_S + PREBUFFER_S

    def samples(self) -> Pcm16:
        """All audio that was played, int16."""
        return pcm16_from_bytes(b"".join(frame.pcm for frame in self.frames))

    def _play(self, now: float) -> None:
        if now > self._dry_at:
            self.underruns += self._dry_at > float("-inf")
            self._dry_at = now + PREBUFFER_S
        self._dry_at += FRAME_S

    def _clear(self, generation: int, next_frame: int, now: float) -> None:
        """Drop what the player has not begun to play, and its words."""
        self.frames = [frame for frame in self.frames if frame.plays_at <= now]
        last = self.frames[-1].number if self.frames else 0
        self.texts = [t for t in self.texts if t.generation != generation or t.frame <= last]
        self._next_frame = next_frame
        self._dry_at = float("-inf")
        self.reply_open = False


def speech_end_s(samples: Pcm16, rate_hz: int = SAMPLE_RATE_HZ) -> float:
    """When the last loud 20 ms of a recording end; loud is within 35 dB of the loudest.

    Each 20 ms count without their mean: a microphone's offset is no sound.
    """
    width = rate_hz * FRAME_MS // 1_000
    whole = samples[: len(samples) // width * width].astype(np.float64).reshape(-1, width)
    if not len(whole):
        return len(samples) / rate_hz
    rms = whole.std(axis=1)
    loud = np.flatnonzero(rms >= rms.max() * LOUD_RATIO)
    return float((loud[-1] + 1) * FRAME_S)
