"""Measures how much a sound's spectrum changes: much in speech, little in a hum, tone or fan."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from shared.audio import FRAMES_PER_CHUNK, Pcm16

RATE_HZ: Final = 8_000
FRAME: Final = 160  # 20 ms
BACK_FRAMES: Final = 2  # a frame is compared with the one 40 ms earlier

_WINDOW: Final = 2 * FRAME  # a hum of 50 Hz has two periods in it, so its phase does not show
_FFT: Final = 512
_EDGES_HZ: Final = (0, 100, 200, 300, 400, 500, 650, 800, 1_000, 1_250, 1_500, 1_850, 2_250, 2_700,
                    3_250, 4_001)  # fmt: skip
_BANDS: Final = len(_EDGES_HZ) - 1  # 15
_AUDIBLE_DB: Final = 25.0  # below the loudest band: noise, which moves on its own
_DEEPEST_DB: Final = 40.0  # below the loudest band, all is as quiet
_SILENCE_DB: Final = -90.0

Levels = NDArray[np.float32]  # (frames, bands), decibels
_HANN: Final = np.hanning(_WINDOW).astype(np.float32)


def _pooling() -> NDArray[np.float32]:
    """(FFT bins, bands): which band a bin belongs to."""
    hertz = np.fft.rfftfreq(_FFT, 1 / RATE_HZ)
    band = np.searchsorted(_EDGES_HZ, hertz, side="right") - 1
    return np.asarray(band[:, None] == np.arange(_BANDS), dtype=np.float32)


_POOLING: Final = _pooling()


class Movement:
    """The movement of one sound; keeps its last 20 ms and the levels of its last two frames."""

    def __init__(self) -> None:
        self._rest: Pcm16 = np.zeros(FRAME, np.int16)
        self._before: Levels = np.full((BACK_FRAMES, _BANDS), _SILENCE_DB, np.float32)

    def hear(self, low: Pcm16) -> NDArray[np.float32]:
        """One chunk at 8 kHz, (640,) -> each frame's movement over 40 ms, (4,), decibels."""
        samples = np.concatenate([self._rest, low])
        levels = np.concatenate([self._before, _levels(samples)])
        self._rest, self._before = low[-FRAME:], levels[-BACK_FRAMES:]
        return _distance(levels[BACK_FRAMES:], levels[:-BACK_FRAMES])

    def state(self) -> dict[str, Any]:
        """What `restore` needs, as msgpack takes it."""
        return {"rest": self._rest.tobytes(), "before": self._before.tobytes()}

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> "Movement":
        """The movement with this state."""
        movement = cls()
        movement._rest = np.frombuffer(state["rest"], np.int16)
        before = np.frombuffer(state["before"], np.float32)
        movement._before = before.reshape(BACK_FRAMES, _BANDS)
        return movement


def _levels(samples: Pcm16) -> Levels:
    """(800,) -> the four frames' band levels, each in the 40 ms that end with it, (4, bands)."""
    # A first difference balances the spectrum, since speech is weaker at high frequencies.
    white = np.diff(samples.astype(np.float32) / 32_768, prepend=np.float32(samples[0]) / 32_768)
    starts = FRAME * np.arange(FRAMES_PER_CHUNK)
    windows = white[starts[:, None] + np.arange(_WINDOW)] * _HANN
    power = np.abs(np.fft.rfft(windows, _FFT, axis=1)) ** 2
    return np.asarray(10 * np.log10(power @ _POOLING + 1e-9), dtype=np.float32)


def _distance(now: Levels, before: Levels) -> NDArray[np.float32]:
    """The mean change of the bands that are audible in either, (frames,), decibels."""
    top = np.maximum(now, before).max(axis=1, keepdims=True)
    audible = np.maximum(now, before) > top - _AUDIBLE_DB
    deepest = top - _DEEPEST_DB
    change = np.abs(np.maximum(now, deepest) - np.maximum(before, deepest))
    return np.asarray((change * audible).sum(axis=1) / audible.sum(axis=1), dtype=np.float32)
