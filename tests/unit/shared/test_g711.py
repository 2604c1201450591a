"""G.711 against the standard's tables, for all codes and all samples."""

from collections.abc import Callable

import numpy as np
import pytest

from shared.audio import Pcm16
from shared.g711 import alaw_decode, alaw_encode, mulaw_decode, mulaw_encode

ALL_CODES = bytes(range(256))
ALL_SAMPLES = np.arange(-32_768, 32_768).astype(np.int16)
# The first value and the step of each segment, as 16-bit samples: ITU-T G.711, tables 1a and 2a.
MULAW_SEGMENTS = [(0, 8), (132, 16), (396, 32), (924, 64)]
MULAW_SEGMENTS += [(1_980, 128), (4_092, 256), (8_316, 512), (16_764, 1_024)]
ALAW_SEGMENTS = [(8, 16), (264, 16), (528, 32), (1_056, 64)]
ALAW_SEGMENTS += [(2_112, 128), (4_224, 256), (8_448, 512), (16_896, 1_024)]

Encode = Callable[[Pcm16], bytes]
Decode = Callable[[bytes], Pcm16]
LAWS = [(mulaw_encode, mulaw_decode), (alaw_encode, alaw_decode)]


def magnitudes(segments: list[tuple[int, int]]) -> list[int]:
    return [start + step * number for start, step in segments for number in range(16)]


def test_every_mulaw_code_decodes_to_the_value_of_the_standard() -> None:
    positive = magnitudes(MULAW_SEGMENTS)[::-1]  # 0x80 is the loudest, 0xFF is zero
    assert mulaw_decode(ALL_CODES).tolist() == [-value for value in positive] + positive


def test_every_alaw_code_decodes_to_the_value_of_the_standard() -> None:
    values = magnitudes(ALAW_SEGMENTS)
    signed = [-value for value in values] + values
    assert alaw_decode(ALL_CODES).tolist() == [signed[code ^ 0x55] for code in range(256)]


@pytest.mark.parametrize(("encode", "decode"), LAWS)
def test_every_code_comes_back_from_its_own_value(encode: Encode, decode: Decode) -> None:
    back = encode(decode(ALL_CODES))
    # Only mu-law has a negative zero, which becomes zero.
    want = bytes(0xFF if encode is mulaw_encode and code == 0x7F else code for code in ALL_CODES)
    assert back == want


@pytest.mark.parametrize(("encode", "decode"), LAWS)
def test_every_sample_gets_the_code_of_its_interval(encode: Encode, decode: Decode) -> None:
    found = decode(encode(ALL_SAMPLES)).astype(int)
    values = np.unique(decode(ALL_CODES)).astype(int)
    places = np.searchsorted(values, found)
    steps = np.diff(values, prepend=values[0] - 1_024, append=values[-1] + 1_024)
    widest = np.maximum(steps[places], steps[places + 1])
    inside = np.abs(ALL_SAMPLES.astype(int)) < values[-1]
    assert (np.diff(found) >= 0).all()
    assert (np.abs(found - ALL_SAMPLES) <= widest / 2)[inside].all()


@pytest.mark.parametrize(
    ("encode", "sample", "code"),
    [
        *((mulaw_encode, s, c) for s, c in [(0, 0xFF), (3, 0xFF), (4, 0xFE), (123, 0xF0)]),
        *((mulaw_encode, s, c) for s, c in [(124, 0xEF), (-4, 0x7F), (-5, 0x7E), (32_767, 0x80)]),
        *((alaw_encode, s, c) for s, c in [(0, 0xD5), (15, 0xD5), (16, 0xD4), (511, 0xCA)]),
        *((alaw_encode, s, c) for s, c in [(512, 0xF5), (-1, 0x55), (-17, 0x54), (32_767, 0xAA)]),
    ],
)
def test_the_decision_values_are_those_of_the_standard(
    encode: Encode, sample: int, code: int
) -> None:
    assert encode(np.array([sample], dtype=np.int16)) == bytes([code])


def test_a_big_endian_or_strided_array_is_encoded_as_its_values() -> None:
    samples = np.array([0, 1_000, -1_000, 20_000], dtype=np.int16)
    assert mulaw_encode(samples.astype(">i2")) == mulaw_encode(samples)
    assert alaw_encode(samples[::2]) == alaw_encode(samples[::2].copy())
