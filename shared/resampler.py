"""Resamples a stream of PCM16 between two rates, in chunks of any size, by a polyphase FIR filter.

Letters: the ratio of the rates is L to M in lowest terms, so M samples in give L samples out. Each
output uses T taps. The filter passes 85 % of the lower rate's band (3.4 kHz at 8 kHz) and
attenuates aliases by 70 dB.

scipy's `upfirdn` does the same, but its import takes 80 MB and a second, and the gateway is small.
"""

from functools import cache
from math import ceil, gcd, pi
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.audio import Pcm16

PASSED: Final = 0.85  # of the lower rate's band
ATTENUATION_DB: Final = 70.0
_KAISER_BETA: Final = 0.1102 * (ATTENUATION_DB - 8.7)  # Kaiser's formula: 6.76
# Taps are whole multiples of 2**-20. Products with samples and their sums then fit float64 exactly.
# So the result depends neither on the order of the sums nor on the chunks.
_TAP_UNIT: Final = 2.0**-20


class Resampler:
    """One direction of one stream. Equal rates pass unchanged.

    `delay_samples`: the filter's delay in samples at `to_hz`. With 24 kHz as the other rate it is
    3.6 ms for 8 kHz, 1.9 ms for 16 kHz and 1.2 ms for 48 kHz.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        """Raises ValueError when a rate is not positive."""
        if min(from_hz, to_hz) <= 0:
            raise ValueError(f"Expected sample rates above 0, got {from_hz} and {to_hz}")
        common = gcd(from_hz, to_hz)
        self._up, self._down = to_hz // common, from_hz // common
        self._same = from_hz == to_hz
        self._taps, half = _filter(self._up, self._down)
        self.delay_samples = 0 if self._same else half // self._down
        self.reset()

    def reset(self) -> None:
        """Forget the past: what comes next is a new stream, with silence before it."""
        self._pending: NDArray[np.float64] = np.zeros(len(self._taps) - self._down)

    def process(self, samples: Pcm16) -> Pcm16:
        """int16 samples, any number -> those of the other rate that are complete now.

        N samples give floor(N / M) * L in all, whatever the chunks are.
        """
        if self._same:
            return samples
        width, down = len(self._taps), self._down
        pending = np.concatenate([self._pending, samples])
        blocks = (len(pending) - width) // down + 1
        self._pending = pending[max(0, blocks) * down :]
        if blocks <= 0:
            return np.zeros(0, dtype=np.int16)
        windows = np.lib.stride_tricks.sliding_window_view(pending, width)[::down]
        sums = (windows[:blocks] @ self._taps).reshape(-1)
        return np.clip(np.rint(sums * _TAP_UNIT), -32_768, 32_767).astype(np.int16)


@cache
def _filter(up: int, down: int) -> tuple[NDArray[np.float64], int]:
    """Taps (T + M - 1, L) in units of _TAP_UNIT, and the delay at L times the input's rate.

    Column r gives output r of a block. The block's M inputs are the window's last.
    """
    low_pass, half = _low_pass(up, down)
    per_output = ceil(len(low_pass) / up)
    padded = np.zeros(per_output * up)
    padded[: len(low_pass)] = low_pass
    taps = np.zeros((per_output + down - 1, up))
    for output in range(up):
        newest, phase = divmod(output * down, up)
        taps[newest : newest + per_output, output] = padded[phase::up][::-1]
    return np.rint(taps / _TAP_UNIT), half


def _low_pass(up: int, down: int) -> tuple[NDArray[np.float64], int]:
    """A symmetric low-pass at L times the input's rate, with gain L; its middle tap's index."""
    band = 0.5 / max(up, down)  # the lower rate's band, in cycles a sample
    length = (ATTENUATION_DB - 7.95) / (2.285 * 2 * pi * band * (1 - PASSED))
    # The delay is a whole number of samples on both sides.
    half = ceil(length / 2 / (up * down)) * up * down
    at = np.arange(-half, half + 1)
    cutoff = band * (1 + PASSED)  # twice the middle of the transition
    return up * cutoff * np.sinc(cutoff * at) * np.kaiser(2 * half + 1, _KAISER_BETA), half
