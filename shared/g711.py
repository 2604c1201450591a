"""G.711, the telephone's codec: 8 bits a sample at 8 kHz, mu-law or A-law, by lookup tables.

Source: ITU-T G.711; the encoders round as `ulaw_compress` and `alaw_compress` of ITU-T G.191 do.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.audio import Pcm16

G711_RATE_HZ: Final = 8_000

Codes = NDArray[np.uint8]

_ALL_SAMPLES: Final = np.arange(65_536).astype(np.uint16).view(np.int16)  # in the order of uint16
_ALL_CODES: Final = np.arange(256, dtype=np.uint8)
_MULAW_BIAS: Final = 33  # G.711 adds it to the 14-bit magnitude, so that each segment doubles
_ALAW_TOGGLE: Final = 0x55  # G.711 inverts the even bits of an A-law code for the line


def mulaw_encode(samples: Pcm16) -> bytes:
    """int16 samples at 8 kHz -> one mu-law byte a sample."""
    return _MULAW_OF_SAMPLE[_as_index(samples)].tobytes()


def mulaw_decode(data: bytes) -> Pcm16:
    """mu-law bytes -> int16 samples at 8 kHz, one a byte."""
    return _SAMPLE_OF_MULAW[np.frombuffer(data, dtype=np.uint8)]


def alaw_encode(samples: Pcm16) -> bytes:
    """int16 samples at 8 kHz -> one A-law byte a sample."""
    return _ALAW_OF_SAMPLE[_as_index(samples)].tobytes()


def alaw_decode(data: bytes) -> Pcm16:
    """A-law bytes -> int16 samples at 8 kHz, one a byte."""
    return _SAMPLE_OF_ALAW[np.frombuffer(data, dtype=np.uint8)]


def _as_index(samples: Pcm16) -> NDArray[np.uint16]:
    return np.ascontiguousarray(samples, dtype=np.int16).view(np.uint16)


def _magnitude(samples: Pcm16) -> NDArray[np.int64]:
    """0 to 32,767; negative samples by their complement, as the standard does."""
    wide = samples.astype(np.int64)
    return np.where(wide < 0, ~wide, wide)


def _encode_mulaw(samples: Pcm16) -> Codes:
    biased = np.minimum((_magnitude(samples) >> 2) + _MULAW_BIAS, 0x1FFF)
    segment = np.frexp(biased)[1] - 6  # 0 to 7: the place of the highest bit
    step = (biased >> (segment + 1)) & 0x0F
    positive = np.where(samples < 0, 0, 0x80)
    codes: Codes = (positive | (~(segment << 4 | step) & 0x7F)).astype(np.uint8)
    return codes


def _decode_mulaw(codes: Codes) -> Pcm16:
    inverted = ~codes.astype(np.int64)
    segment, step = inverted >> 4 & 7, inverted & 0x0F
    magnitude = (((2 * step + _MULAW_BIAS) << segment) - _MULAW_BIAS) << 2
    return np.where(codes & 0x80, magnitude, -magnitude).astype(np.int16)


def _encode_alaw(samples: Pcm16) -> Codes:
    magnitude = _magnitude(samples) >> 4
    segment = np.maximum(np.frexp(magnitude)[1] - 4, 0)  # 0 to 7; 0 and 1 have equal steps
    step = (magnitude >> np.maximum(segment - 1, 0)) & 0x0F
    positive = np.where(samples < 0, 0, 0x80)
    codes: Codes = ((positive | segment << 4 | step) ^ _ALAW_TOGGLE).astype(np.uint8)
    return codes


def _decode_alaw(codes: Codes) -> Pcm16:
    plain = codes.astype(np.int64) ^ _ALAW_TOGGLE
    segment, step = plain >> 4 & 7, plain & 0x0F
    magnitude = ((step + np.where(segment, 16, 0)) * 2 + 1) << 3 << np.maximum(segment - 1, 0)
    samples: Pcm16 = np.where(codes & 0x80, magnitude, -magnitude).astype(np.int16)
    return samples


_MULAW_OF_SAMPLE: Final = _encode_mulaw(_ALL_SAMPLES)
_SAMPLE_OF_MULAW: Final = _decode_mulaw(_ALL_CODES)
_ALAW_OF_SAMPLE: Final = _encode_alaw(_ALL_SAMPLES)
_SAMPLE_OF_ALAW: Final = _decode_alaw(_ALL_CODES)
