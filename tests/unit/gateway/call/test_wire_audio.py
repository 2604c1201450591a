"""The codecs of a connection: positions stay, pieces of any size give the same audio."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from gateway.call.wire_audio import SampleAudio
from gateway.protocol.audio_format import AudioFormat, Codec
from shared.audio import FRAME_BYTES, SAMPLE_RATE_HZ, Pcm16, pcm16_from_bytes
from shared.g711 import alaw_decode, alaw_encode, mulaw_decode, mulaw_encode
from shared.resampler import Resampler

FORMATS = [AudioFormat(Codec.PCM16, hz) for hz in (8_000, 16_000, 24_000, 48_000)]
FORMATS += [AudioFormat(Codec.MULAW, 8_000), AudioFormat(Codec.ALAW, 8_000)]
ENCODE: dict[Codec, Callable[[Pcm16], bytes]] = {
    Codec.PCM16: bytes,
    Codec.MULAW: mulaw_encode,
    Codec.ALAW: alaw_encode,
}
DECODE = {Codec.PCM16: pcm16_from_bytes, Codec.MULAW: mulaw_decode, Codec.ALAW: alaw_decode}


def voice(rate_hz: int, seconds: float = 0.5) -> Pcm16:
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    swell = 0.3 + 0.2 * np.sin(2 * np.pi * 3 * time_s)
    sound = sum(np.sin(2 * np.pi * 150 * k * time_s) / k for k in range(1, 15))
    return np.asarray(12_000 * swell * sound, dtype=np.int16)


def likeness(one: Pcm16, other: Pcm16) -> float:
    return float(np.corrcoef(one.astype(float), other.astype(float))[0, 1])


@pytest.mark.parametrize("wanted", FORMATS, ids=str)
def test_every_sample_keeps_its_position_upwards(wanted: AudioFormat) -> None:
    sent = ENCODE[wanted.codec](voice(wanted.rate_hz))
    received = np.frombuffer(SampleAudio(wanted).decode(sent), np.int16)
    ideal = voice(SAMPLE_RATE_HZ)
    assert len(ideal) - len(received) < 0.004 * SAMPLE_RATE_HZ  # still inside the filter
    assert likeness(ideal[500 : len(received)], received[500:]) > 0.999


@pytest.mark.parametrize("wanted", FORMATS, ids=str)
def test_messages_that_cut_samples_give_the_same_audio(wanted: AudioFormat) -> None:
    sent = ENCODE[wanted.codec](voice(wanted.rate_hz))
    whole, pieces = SampleAudio(wanted).decode(sent), SampleAudio(wanted)
    cuts = [0, *np.sort(np.random.default_rng(3).integers(0, len(sent), 99)).tolist(), len(sent)]
    assert b"".join(pieces.decode(sent[a:b]) for a, b in pairwise(cuts)) == whole


@pytest.mark.parametrize("wanted", FORMATS, ids=str)
def test_a_frame_is_20_ms_downwards(wanted: AudioFormat) -> None:
    audio, said = SampleAudio(wanted), voice(SAMPLE_RATE_HZ).tobytes()
    frames = [audio.encode(said[at : at + FRAME_BYTES], 1) for at in range(0, 24_000, FRAME_BYTES)]
    size = wanted.frame_samples * (2 if wanted.codec is Codec.PCM16 else 1)
    assert {len(frame) for frame in frames} == {size}
    heard = DECODE[wanted.codec](b"".join(frames))
    late = Resampler(SAMPLE_RATE_HZ, wanted.rate_hz).delay_samples
    ideal = voice(wanted.rate_hz)
    assert likeness(ideal[: len(heard) - late], heard[late:]) > 0.995


def test_a_new_reply_holds_nothing_of_the_one_before() -> None:
    audio = SampleAudio(AudioFormat(Codec.MULAW, 8_000))
    audio.encode(np.full(480, 20_000, dtype=np.int16).tobytes(), 1)
    assert audio.encode(bytes(FRAME_BYTES), 2) == b"\xff" * 160


def test_positions_are_counted_at_the_rate_of_the_client() -> None:
    assert AudioFormat(Codec.MULAW, 8_000).position(1_920) == 640
    assert AudioFormat(Codec.PCM16, 48_000).position(1_920) == 3_840
