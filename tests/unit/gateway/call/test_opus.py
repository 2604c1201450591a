"""Opus decoding and encoding, without a socket."""

import numpy as np
import pytest

from gateway.call import opus
from gateway.call.opus import LOOKAHEAD_SAMPLES, MAX_PACKET_BYTES, Opus
from gateway.protocol.errors import CallError, ErrorCode
from shared.audio import FRAME_BYTES, FRAME_SAMPLES, SAMPLE_RATE_HZ, Pcm16

pytestmark = pytest.mark.skipif(not opus.AVAILABLE, reason="this system has no libopus")

FRAMES = 150  # 3 s


def voice() -> Pcm16:
    """Harmonics of changing pitch and loudness, so that no two parts are alike."""
    time = np.arange(FRAMES * FRAME_SAMPLES) / SAMPLE_RATE_HZ
    phase = 2 * np.pi * np.cumsum(120 + 40 * np.sin(2 * np.pi * 0.7 * time)) / SAMPLE_RATE_HZ
    signal = sum(np.sin(k * phase) / k for k in range(1, 15))
    loudness = 0.4 + 0.3 * np.sin(2 * np.pi * 1.3 * time)
    return np.asarray(6_000 * loudness * signal, dtype=np.int16)


def packets(pcm: Pcm16, generation: int = 1) -> list[bytes]:
    codec, data = Opus(), pcm.tobytes()
    starts = range(0, len(data), FRAME_BYTES)
    return [codec.encode(data[at : at + FRAME_BYTES], generation) for at in starts]


def likeness(one: Pcm16, other: Pcm16) -> float:
    return float(np.corrcoef(one.astype(float), other.astype(float))[0, 1])


def test_decoded_audio_is_the_same_at_the_same_positions() -> None:
    codec, sent = Opus(), voice()
    received = np.frombuffer(b"".join(map(codec.decode, packets(sent))), np.int16)
    assert len(received) == len(sent) - LOOKAHEAD_SAMPLES
    assert likeness(sent[1_000 : len(received)], received[1_000:]) >= 0.99
    shifted = [
        likeness(sent[1_000:60_000], received[1_000 + s : 60_000 + s]) for s in (-2, -1, 1, 2)
    ]
    assert likeness(sent[1_000:60_000], received[1_000:60_000]) > max(shifted)


def test_it_takes_an_eighth_of_the_bytes() -> None:
    size = sum(map(len, packets(voice())))
    assert size * 7.5 < FRAMES * FRAME_BYTES


def test_a_reply_contains_nothing_of_the_one_before() -> None:
    sent = voice()[:FRAME_SAMPLES].tobytes()
    fresh, used = Opus(), Opus()
    for frame in range(20):
        used.encode(voice()[frame * 480 : frame * 480 + 480].tobytes(), 1)
    assert used.encode(sent, 2) == fresh.encode(sent, 1)


@pytest.mark.parametrize("packet", [b"", b"\xff", bytes([0x03]), b"\x1b" * 3])
def test_bytes_that_are_no_packet_are_refused(packet: bytes) -> None:
    with pytest.raises(CallError, match="Expected an Opus packet") as refused:
        Opus().decode(packet)
    assert refused.value.code is ErrorCode.BAD_MESSAGE


def test_a_packet_beyond_the_limit_is_refused_undecoded() -> None:
    with pytest.raises(CallError) as refused:
        Opus().decode(bytes(MAX_PACKET_BYTES + 1))
    assert refused.value.code is ErrorCode.TOO_LARGE


def test_random_bytes_never_give_more_than_60_ms() -> None:
    rng = np.random.default_rng(1)
    codec = Opus()
    for size in rng.integers(1, 300, 300):
        try:
            pcm = codec.decode(rng.bytes(int(size)))
        except CallError:
            continue
        assert len(pcm) <= 3 * FRAME_BYTES
        assert len(pcm) % 2 == 0
