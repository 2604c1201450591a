"""Opus in place of PCM16, for callers that ask for it: 48 kbit/s down instead of 384.

Sample counts stay those of PCM16: a packet up is as many samples as it decodes to, a frame down is
one packet of 20 ms. libopus works at 24 kHz itself, so nothing is resampled here. The codec looks
ahead by LOOKAHEAD_SAMPLES: upwards they are cut off the beginning of each connection, so that a
position means the same sample on both sides; downwards a frame's sound is so much later in it.

Each connection begins afresh, and downwards each reply: a decoder that is new with both hears
nothing of what was interrupted. A fresh codec's first 2.5 to 10 ms are blurred.
"""

import ctypes
from typing import Final

from gateway.protocol.errors import CallError, ErrorCode
from shared.audio import FRAME_SAMPLES, SAMPLE_BYTES, SAMPLE_RATE_HZ

try:
    import opuslib_next as libopus
except Exception:  # not installed; or its bare Exception: this system has no libopus
    libopus = None

AVAILABLE: Final = libopus is not None
LOOKAHEAD_SAMPLES: Final = SAMPLE_RATE_HZ * 13 // 2_000  # 6.5 ms of libopus: 156
MAX_PACKET_BYTES: Final = 4_000  # 60 ms at the most that Opus can spend
MAX_PACKET_SAMPLES: Final = SAMPLE_RATE_HZ * 60 // 1_000  # 1,440
BITRATE: Final = 48_000  # an eighth of PCM16
# Of a spoken question, on one core of two that were busy: 80 us a frame and PESQ 3.8; at 8, which
# lets libopus choose its speech coder, 390 us and PESQ 4.0. Decoding takes 35 us.
COMPLEXITY: Final = 5


class Opus:
    """One connection's decoder and encoder. They belong to one event loop."""

    def __init__(self) -> None:
        self._decoder = libopus.Decoder(SAMPLE_RATE_HZ, 1)
        self._encoder = libopus.Encoder(SAMPLE_RATE_HZ, 1, libopus.APPLICATION_AUDIO)
        self._encoder.bitrate = BITRATE
        self._encoder.complexity = COMPLEXITY
        self._pcm = (ctypes.c_int16 * MAX_PACKET_SAMPLES)()
        self._bytes = memoryview(self._pcm).cast("B")
        self._skip = LOOKAHEAD_SAMPLES
        self._generation = 0

    def decode(self, packet: bytes) -> bytes:
        """What the caller said, PCM16. Raises CallError when it is no packet."""
        if len(packet) > MAX_PACKET_BYTES:
            raise CallError(
                ErrorCode.TOO_LARGE,
                f"Expected Opus packets of at most {MAX_PACKET_BYTES} bytes, got {len(packet)}",
            )
        if not packet:  # libopus takes it for a loss and invents sound
            raise CallError(ErrorCode.BAD_MESSAGE, "Expected an Opus packet, got no bytes")
        # The package's own `decode` makes a Python number of every sample: 3 times as slow.
        samples = libopus.api.decoder.libopus_decode(
            self._decoder.decoder_state, packet, len(packet), self._pcm, MAX_PACKET_SAMPLES, 0
        )
        if samples < 0:
            said = libopus.OpusError(samples)
            raise CallError(
                ErrorCode.BAD_MESSAGE, f"Expected an Opus packet of at most 60 ms, got: {said}"
            )
        skipped = min(self._skip, samples)
        self._skip -= skipped
        return bytes(self._bytes[skipped * SAMPLE_BYTES : samples * SAMPLE_BYTES])

    def encode(self, pcm: bytes, generation: int) -> bytes:
        """One frame (960 bytes) of a reply as a packet."""
        if generation != self._generation:
            self._generation = generation
            self._encoder.reset_state()
        packet: bytes = self._encoder.encode(pcm, FRAME_SAMPLES)
        return packet
