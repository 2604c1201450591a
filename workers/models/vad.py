"""Voice activity, 20 ms at a time, without training and without torch.

A frame is speech when it is loud against an adaptive noise floor AND near something voiced: speech
has a pitch, so its waveform repeats itself; noise of any level does not. Loudness alone would call
a fan speech; pitch alone would miss the "s" that ends a word.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from shared.audio import CHUNK_SAMPLES, FRAME_MS, FRAMES_PER_CHUNK, Floats, Pcm16

FLOOR_RATIO: Final = 2.5  # speech is 8 dB over the floor
VOICED_MIN: Final = 0.5  # of 1, the waveform's likeness to itself one pitch period later
# A loud frame this long after the last voiced one still belongs to speech ("s", "t", a breath).
UNVOICED_TAIL_FRAMES: Final = 200 // FRAME_MS  # 10
# The floor is the quietest frame of about two seconds: speech pauses within that, noise does not.
FLOOR_BLOCKS: Final = 8
FLOOR_BLOCK_FRAMES: Final = 240 // FRAME_MS  # 12

_DECIMATION: Final = 3  # pitch is looked for at 8 kHz
_RATE_HZ: Final = 8_000
_FRAME: Final = CHUNK_SAMPLES // _DECIMATION // FRAMES_PER_CHUNK  # 160
_WINDOW: Final = 2 * _FRAME  # 40 ms hold two periods of a low voice
_LAG_MIN: Final = _RATE_HZ // 400  # 20
_LAG_MAX: Final = _RATE_HZ // 60  # 133
_FFT: Final = 512  # >= window + longest lag, so that the correlation does not wrap
_QUIET: Final = 1e-9

Blocks = list[float]


class Vad:
    """The floor and the voicing of one caller; it keeps no audio between chunks."""

    def __init__(self) -> None:
        self._blocks: Blocks = []  # the quietest RMS of each past block, oldest first
        self._block_min = float("inf")
        self._block_frames = 0
        self._unvoiced = UNVOICED_TAIL_FRAMES  # frames since the last voiced one

    @property
    def floor(self) -> float:
        """RMS of the background, of full scale; 0 until two seconds are known."""
        return min(self._blocks) if len(self._blocks) == FLOOR_BLOCKS else 0.0

    def hear(self, pcm: Pcm16, threshold: float) -> tuple[bool, ...]:
        """One chunk of shape (1920,) -> is it speech, for each of its four frames.

        `threshold` is the RMS of full scale below which nothing is speech.
        """
        samples = pcm.astype(np.float32) / np.float32(32768.0)
        rms = np.sqrt(np.mean(samples.reshape(FRAMES_PER_CHUNK, -1) ** 2, axis=1))
        loud = rms > max(threshold, self.floor * FLOOR_RATIO)
        voiced = loud & (_voicing(samples) > VOICED_MIN) if loud.any() else loud
        self._learn(rms)
        if voiced.any():
            # The consonants before a chunk's first voiced frame are speech as well.
            self._unvoiced = 0
        return tuple(self._speech(bool(a), bool(b)) for a, b in zip(loud, voiced, strict=True))

    def _speech(self, loud: bool, voiced: bool) -> bool:
        self._unvoiced = 0 if voiced else min(self._unvoiced + 1, UNVOICED_TAIL_FRAMES)
        return loud and self._unvoiced < UNVOICED_TAIL_FRAMES

    def _learn(self, rms: NDArray[np.float32]) -> None:
        self._block_min = min(self._block_min, float(rms.min()))
        self._block_frames += FRAMES_PER_CHUNK
        if self._block_frames >= FLOOR_BLOCK_FRAMES:
            self._blocks = [*self._blocks[1 - FLOOR_BLOCKS :], self._block_min]
            self._block_min, self._block_frames = float("inf"), 0

    def state(self) -> list[Any]:
        """What `restore` needs, as msgpack takes it."""
        return [self._blocks, self._block_min, self._block_frames, self._unvoiced]

    @classmethod
    def restore(cls, state: list[Any]) -> "Vad":
        """The VAD that gave this state."""
        vad = cls()
        vad._blocks, vad._block_min, vad._block_frames, vad._unvoiced = state
        return vad


def _voicing(samples: Floats) -> NDArray[np.float32]:
    """A chunk (1920,) -> how well each frame repeats itself at a pitch of 60-400 Hz, (4,), <= 1.

    Each frame is judged in the 40 ms window that ends with it (the first in the chunk's first).
    """
    low = samples.reshape(-1, _DECIMATION).mean(axis=1)
    # Whitening by a first difference: rumble is like itself at every lag, a voice is not.
    low = np.diff(low, prepend=low[:1])
    starts = _FRAME * np.array([0, 0, 1, 2])
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
