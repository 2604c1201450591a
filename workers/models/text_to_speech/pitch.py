"""Changes a voice's pitch: widens its movement, and joins two renderings of a sentence. Pure.

Letters: F frames of 300 samples (12.5 ms at 24 kHz).
"""

from typing import Final

import numpy as np

from shared.audio import Floats

FRAME: Final = 300  # samples
VOICED_HZ: Final = 40.0  # a frame with a higher pitch is voiced
_CLOSE: Final = 20  # frames before a cut that may give its pitch: 250 ms
_ENOUGH: Final = 3  # voiced frames needed for a pitch
_MOST: Final = 8  # the most voiced frames averaged, the nearest ones
_LARGEST: Final = np.log(2) / 3  # 4 semitones: a larger difference is not the same sound
_RETURN: Final = 32  # frames over which a raised pitch returns to its own: .4 s


def widened(pitch: Floats, middle_hz: float, movement: float) -> Floats:
    """(F,) Hz with each voiced frame's distance from the middle, in semitones, times `movement`."""
    if movement == 1.0:
        return pitch
    away = (np.maximum(pitch, 1.0) / middle_hz) ** movement
    return np.where(pitch > VOICED_HZ, middle_hz * away, pitch).astype(np.float32)


def level_difference(before: Floats, before_cut: int, pitch: Floats, cut: int) -> float:
    """The logarithm of the earlier rendering's pitch over this one's, each just before its cut.

    Both say the same words before their cuts, which are sample numbers.
    """
    one, other = _level(before, before_cut), _level(pitch, cut)
    if one is None or other is None:
        return 0.0
    return float(np.clip(one - other, -_LARGEST, _LARGEST))


def raised_before(pitch: Floats, cut: int, amount: float) -> Floats:
    """The pitch (F,), raised by a logarithm up to the cut, after which it returns to its own."""
    after = np.arange(len(pitch)) - cut / FRAME
    return (pitch * np.exp(amount * np.clip(1 - after / _RETURN, 0.0, 1.0))).astype(np.float32)


def _level(pitch: Floats, cut: int) -> float | None:
    """The mean logarithm of the last voiced frames before a cut."""
    end = round(cut / FRAME)
    close = pitch[max(0, end - _CLOSE) : end]
    voiced = close[close > VOICED_HZ][-_MOST:]
    return float(np.log(voiced).mean()) if len(voiced) >= _ENOUGH else None
