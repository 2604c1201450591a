"""What a talking client heard, and how well: the measuring half of `client.talk`, sans I/O.

Times are monotonic seconds. A simulated player stands in for a loudspeaker: it starts 60 ms after
a reply's first frame and plays one frame every 20 ms.
"""

import math
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from shared.audio import (
    CHUNK_SAMPLES,
    FRAME_MS,
    SAMPLE_RATE_HZ,
    Pcm16,
    pcm16_from_bytes,
    pcm16_from_floats,
)

FRAME_S: Final = FRAME_MS / 1_000  # 0.02
PREBUFFER_S: Final = 0.060
AUDIBLE: Final = 32_768 * 10 ** (-50 / 20)  # -50 dBFS: 103.6


@dataclass(slots=True)
class Heard:
    """One frame: when it came, and when a player without a buffer would play it."""

    number: int
    generation: int
    pcm: bytes
    came_at: float
    plays_at: float

    @property
    def audible(self) -> bool:
        """Whether a sample of it is louder than -50 dBFS."""
        return bool(np.abs(pcm16_from_bytes(self.pcm).astype(np.int32)).max() > AUDIBLE)


@dataclass(slots=True)
class Hearing:
    """All that came from the server."""

    frames: list[Heard] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    rough: list[str] = field(default_factory=list)  # our turns as the server heard them
    decided_sample: int | None = None  # our sample with which the server decided: turn over
    gaps: int = 0
    underruns: int = 0
    reply_open: bool = False  # our turn or its answer is under way
    answered: bool = False
    _next: int | None = None  # the frame number to come
    _dry_at: float = float("-inf")  # when the simulated player runs out

    @property
    def last_frame(self) -> int:
        """The number of the last frame that came, or will not come any more; 0: none."""
        return (self._next or 1) - 1

    def take_frame(self, number: int | None, generation: int, pcm: bytes, now: float) -> None:
        """A frame came; `number` is None where the server sends none."""
        number = (self._next or 1) if number is None else number
        if self._next is not None and number > self._next:
            self.gaps += number - self._next
        self._next = number + 1
        self._play(now)
        plays_at = max(now, self.frames[-1].plays_at + FRAME_S if self.frames else now)
        self.frames.append(Heard(number, generation, pcm, now, plays_at))

    def take_event(self, event: dict[str, Any], now: float) -> None:
        """A JSON message came."""
        match event["type"]:
            case "speech_started":
                self.reply_open = True
            case "speech_stopped":
                if self.decided_sample is None:
                    self.decided_sample = event["sample"] + CHUNK_SAMPLES
            case "heard" if event["final"]:
                self.rough.append(event["text"])
            case "text":
                self.texts.append(event["text"])
            case "reply_started":
                self.reply_open = self.answered = True
                self._dry_at = float("-inf")  # silence before a reply is no underrun
            case "reply_done":
                self.reply_open = False
            case "skip":
                self._next = event["last"] + 1
            case "clear":
                self._clear(event["next_frame"], now)

    def played(self, now: float) -> int:
        """The number of the last frame that has been played."""
        return max((f.number for f in self.frames if f.plays_at + FRAME_S <= now), default=0)

    def first_audible_at(self) -> float | None:
        """When the first frame that can be heard was played."""
        return next((f.plays_at for f in self.frames if f.audible), None)

    def quiet_s(self, now: float) -> float:
        """How long nothing audible has been playing."""
        return now - max((f.plays_at for f in self.frames if f.audible), default=now)

    def playing(self, now: float) -> bool:
        """Whether the player still has something to play."""
        return bool(self.frames) and now < self.frames[-1].plays_at + FRAME_S + PREBUFFER_S

    def samples(self) -> Pcm16:
        """What was heard, int16."""
        return pcm16_from_bytes(b"".join(frame.pcm for frame in self.frames))

    def _play(self, now: float) -> None:
        if now > self._dry_at:
            self.underruns += self._dry_at > float("-inf")
            self._dry_at = now + PREBUFFER_S
        self._dry_at += FRAME_S

    def _clear(self, next_frame: int, now: float) -> None:
        """Drop what the player had not begun to play."""
        self.frames = [frame for frame in self.frames if frame.plays_at <= now]
        self._next = next_frame
        self._dry_at = float("-inf")
        self.reply_open = False


def speech_end_s(samples: Pcm16) -> float:
    """When the last loud 20 ms of a recording end; loud is within 35 dB of the loudest."""
    width = SAMPLE_RATE_HZ * FRAME_MS // 1_000
    whole = samples[: len(samples) // width * width].astype(np.float64).reshape(-1, width)
    if not len(whole):
        return len(samples) / SAMPLE_RATE_HZ
    rms = np.sqrt((whole**2).mean(axis=1))
    loud = np.flatnonzero(rms >= rms.max() * 10 ** (-35 / 20))
    return float((loud[-1] + 1) * FRAME_S)


def resample(samples: NDArray[np.float32], rate_hz: int) -> Pcm16:
    """Mono float32 in [-1, 1] at any rate -> int16 at 24 kHz: a polyphase windowed sinc.

    The cut-off lies just under the lower of the two Nyquist rates, so that nothing folds back.
    """
    if rate_hz == SAMPLE_RATE_HZ:
        return pcm16_from_floats(samples)
    common = math.gcd(SAMPLE_RATE_HZ, rate_hz)
    phases, step = SAMPLE_RATE_HZ // common, rate_hz // common
    kernels = _kernels(phases, step)
    half = kernels.shape[1] // 2
    padded = np.pad(samples.astype(np.float64), half)
    audio = np.zeros(len(samples) * phases // step)
    for phase in range(min(phases, len(audio))):
        # Every output of one phase has the same taps, each time `step` input samples further on.
        first = phase * step // phases + 1
        windows = sliding_window_view(padded, 2 * half)[first::step]
        chosen = audio[phase::phases]
        chosen[:] = windows[: len(chosen)] @ kernels[phase]
    return pcm16_from_floats(audio.astype(np.float32))


def _kernels(phases: int, step: int) -> NDArray[np.float64]:
    """The taps of each phase, shape (phases, taps): 32 zero crossings to a side, Kaiser window."""
    ratio = min(1.0, phases / step)
    half = math.ceil(32 / ratio)
    fraction = (np.arange(phases) * step % phases) / phases
    offset = fraction[:, None] - np.arange(-half + 1, half + 1)[None, :]
    window = np.i0(8.0 * np.sqrt(np.maximum(0.0, 1 - (offset / half) ** 2))) / np.i0(8.0)
    cutoff = 0.95 * ratio
    return np.asarray(cutoff * np.sinc(cutoff * offset) * window)
