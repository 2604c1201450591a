"""Detects speech by loudness, pitch and movement, in frames of 20 ms, without training or torch.

A frame is speech when it is loud against an adaptive noise floor AND near a voiced frame AND part
of a sound that moves. Speech has a pitch, so its waveform repeats itself; noise of any level does
not. The spectrum of speech changes. A hum or a tone also has a pitch, but its spectrum is constant.
Loudness alone would detect a fan as speech; pitch alone would miss the "s" at the end of a word.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from shared.audio import FRAME_MS, FRAMES_PER_CHUNK, Floats, Pcm16
from workers.audio.spectral_flux import FRAME, RATE_HZ, Movement

FLOOR_RATIO: Final = 2.5  # speech is 8 dB over the floor
VOICED_MIN: Final = 0.5  # of 1, the waveform's likeness to itself one pitch period later
# A loud frame within this time of a voiced one still belongs to speech ("s", "t", a breath).
UNVOICED_TAIL_FRAMES: Final = 200 // FRAME_MS  # 10
# Within 40 ms. Measured: 90 % of speech frames move by more, half of them by 9 dB or more. Of hums
# and tones of -25 to -50 dBFS over noise of -70 dBFS, 99 % move by less.
MOVED_DB: Final = 3.0
# A tone's onset moves three frames, so proof takes four of the last 300 ms.
MOVED_FRAMES: Final = 4
MOVED_WITHIN_FRAMES: Final = 300 // FRAME_MS  # 15
# A background within 20 dB hides movement, and the noise floor covers a hum: no proof is needed.
HIDDEN_RATIO: Final = 10.0
# A sound without proof counts as speech for this long. So speech is detected no later, and a tone's
# onset stays shorter than the speech that starts a turn (120 ms).
BELIEVED_FRAMES: Final = 100 // FRAME_MS  # 5
# The floor is the quietest frame of about 2 s: speech pauses within that time, noise does not.
FLOOR_BLOCKS: Final = 8
FLOOR_BLOCK_FRAMES: Final = 240 // FRAME_MS  # 12

_DECIMATION: Final = 3  # pitch and movement are looked for at 8 kHz
_WINDOW: Final = 2 * FRAME  # 40 ms hold two periods of a low voice
_LAG_MIN: Final = RATE_HZ // 400  # 20
_LAG_MAX: Final = RATE_HZ // 60  # 133
_FFT: Final = 512  # >= window + longest lag, so that the correlation does not wrap
_QUIET: Final = 1e-9

Blocks = list[float]
_Frames = NDArray[np.bool_]


class Vad:
    """The noise floor, voicing and movement of one caller's audio."""

    def __init__(self) -> None:
        self._blocks: Blocks = []  # the quietest RMS of each past block, oldest first
        self._block_min = float("inf")
        self._block_frames = 0
        self._unvoiced = UNVOICED_TAIL_FRAMES  # frames since the last voiced one
        self._movement = Movement()
        # Whether each of the last frames sounded like speech and moved.
        self._moved = [False] * MOVED_WITHIN_FRAMES
        self._unproved = 0  # frames counted as speech without proof since the last pause
        self._pause = 0  # frames since the last one that sounded like speech

    @property
    def floor(self) -> float:
        """RMS of the background; full scale is 1. 0 before two seconds have passed."""
        return min(self._blocks) if len(self._blocks) == FLOOR_BLOCKS else 0.0

    def hear(self, pcm: Pcm16, threshold: float) -> tuple[bool, ...]:
        """One chunk of shape (1920,) -> for each of its four frames: is it speech?

        `threshold`: the RMS (full scale is 1) below which nothing is speech.
        """
        samples = pcm.astype(np.float32) / np.float32(32768.0)
        low = samples.reshape(-1, _DECIMATION).mean(axis=1)
        # Without each frame's mean: a microphone's offset is no sound, and would hide quiet speech.
        rms = samples.reshape(FRAMES_PER_CHUNK, -1).std(axis=1)
        loud = rms > max(threshold, self.floor * FLOOR_RATIO)
        voiced = loud & (_voicing(low) > VOICED_MIN) if loud.any() else loud
        self._learn(rms)
        moved = self._movement.hear(np.rint(low * 32_768).astype(np.int16)) > MOVED_DB
        hidden = float(rms.max()) < self.floor * HIDDEN_RATIO
        return self._believed(self._voices(loud, voiced), moved, hidden=hidden)

    def _voices(self, loud: _Frames, voiced: _Frames) -> list[bool]:
        """Which frames sound like speech: loud ones near a voiced one."""
        if voiced.any():
            # The consonants before a chunk's first voiced frame are speech as well.
            self._unvoiced = 0
        return [self._near_voice(bool(a), bool(b)) for a, b in zip(loud, voiced, strict=True)]

    def _near_voice(self, loud: bool, voiced: bool) -> bool:
        self._unvoiced = 0 if voiced else min(self._unvoiced + 1, UNVOICED_TAIL_FRAMES)
        return loud and self._unvoiced < UNVOICED_TAIL_FRAMES

    def _believed(self, voices: list[bool], moved: _Frames, *, hidden: bool) -> tuple[bool, ...]:
        """Which speech-like frames are speech: their sound moves, or may still begin to move."""
        both = [a and bool(b) for a, b in zip(voices, moved, strict=True)]
        self._moved = [*self._moved, *both][-MOVED_WITHIN_FRAMES:]
        proved = hidden or sum(self._moved) >= MOVED_FRAMES
        return tuple(self._believes(voice, proved=proved) for voice in voices)

    def _believes(self, voice: bool, *, proved: bool) -> bool:
        self._pause = 0 if voice else min(self._pause + 1, BELIEVED_FRAMES)
        if self._pause == BELIEVED_FRAMES:
            self._unproved = 0
        if not voice or proved:
            return voice
        self._unproved = min(self._unproved + 1, BELIEVED_FRAMES + 1)
        return self._unproved <= BELIEVED_FRAMES

    def _learn(self, rms: NDArray[np.float32]) -> None:
        self._block_min = min(self._block_min, float(rms.min()))
        self._block_frames += FRAMES_PER_CHUNK
        if self._block_frames >= FLOOR_BLOCK_FRAMES:
            self._blocks = [*self._blocks[1 - FLOOR_BLOCKS :], self._block_min]
            self._block_min, self._block_frames = float("inf"), 0

    def state(self) -> dict[str, Any]:
        """What `restore` needs, as msgpack takes it."""
        return {
            "blocks": self._blocks,
            "block_min": self._block_min,
            "block_frames": self._block_frames,
            "unvoiced": self._unvoiced,
            "movement": self._movement.state(),
            "moved": self._moved,
            "unproved": self._unproved,
            "pause": self._pause,
        }

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> "Vad":
        """The VAD with this state."""
        vad = cls()
        vad._blocks, vad._block_min = state["blocks"], state["block_min"]
        vad._block_frames, vad._unvoiced = state["block_frames"], state["unvoiced"]
        vad._movement = Movement.restore(state["movement"])
        vad._moved, vad._unproved = state["moved"], state["unproved"]
        vad._pause = state["pause"]
        return vad


def _voicing(low: Floats) -> NDArray[np.float32]:
    """A chunk at 8 kHz (640,) -> how well each frame repeats itself at 60-400 Hz, (4,), <= 1.

    Each frame is judged in the 40 ms window that ends with it (the first in the chunk's first).
    """
    # Whitened by a first difference, since rumble resembles itself at every lag; a voice does not.
    low = np.diff(low, prepend=low[:1])
    starts = FRAME * np.array([0, 0, 1, 2])
    windows = low[starts[:, None] + np.arange(_WINDOW)]
    spectrum = np.fft.rfft(windows, _FFT, axis=1)
    likeness = np.fft.irfft(np.abs(spectrum) ** 2, axis=1)[:, _LAG_MIN : _LAG_MAX + 1]
    return np.asarray((likeness / _overlap_energy(windows)).max(axis=1), dtype=np.float32)


def _overlap_energy(windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """(4, window) -> the geometric mean energy of the overlapping parts at each lag, (4, lags)."""
    sums = np.cumsum(windows**2, axis=1)
    lags = np.arange(_LAG_MIN, _LAG_MAX + 1)
    head = sums[:, _WINDOW - 1 - lags]
    tail = sums[:, -1:] - sums[:, lags - 1]
    return np.asarray(np.sqrt(np.maximum(head * tail, _QUIET)), dtype=np.float32)
