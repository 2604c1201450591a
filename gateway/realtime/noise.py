"""Suppresses steady noise in a caller's sound with WebRTC's suppressor. Sans I/O.

It helps at 5 dB and below and harms among other people's voices (docs/evaluation.md), so a session
asks for it.
"""

from typing import Final

import numpy as np
from pywebrtc_audio import NoiseSuppressor as WebRtcSuppressor

from shared.audio import SAMPLE_BYTES, SAMPLE_RATE_HZ, Pcm16, pcm16_from_bytes
from shared.resampler import Resampler

RATE_HZ: Final = 48_000  # WebRTC takes 16, 32 and 48 kHz
FRAME: Final = RATE_HZ // 100
LEVEL: Final = 2  # of 0 to 3
DELAY_SAMPLES: Final = SAMPLE_RATE_HZ // 100  # what waits for a whole frame


class NoiseSuppressor:
    """One caller's sound, PCM16 at 24 kHz, later by 10 ms and the filters' 2.4 ms."""

    def __init__(self) -> None:
        self._up = Resampler(SAMPLE_RATE_HZ, RATE_HZ)
        self._down = Resampler(RATE_HZ, SAMPLE_RATE_HZ)
        self._suppressor = WebRtcSuppressor(sample_rate=RATE_HZ, level=LEVEL)
        self._partial_frame = np.zeros(0, dtype=np.int16)
        self._ready = bytes(DELAY_SAMPLES * SAMPLE_BYTES)

    def process(self, pcm: bytes) -> bytes:
        """Whole samples, any number -> as many."""
        sound = np.concatenate([self._partial_frame, self._up.process(pcm16_from_bytes(pcm))])
        whole = len(sound) - len(sound) % FRAME
        self._partial_frame = sound[whole:]
        self._ready += b"".join(map(self._frame, sound[:whole].reshape(-1, FRAME)))
        done, self._ready = self._ready[: len(pcm)], self._ready[len(pcm) :]
        return done

    def _frame(self, frame: Pcm16) -> bytes:
        return self._down.process(self._suppressor.process(frame)).astype("<i2").tobytes()
