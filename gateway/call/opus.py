"""Encodes and decodes Opus for clients that ask for it: 48 kbit/s down instead of PCM16's 384.

Positions count samples as with PCM16. A packet from the client counts as the samples that it
decodes to. A frame to the client is one packet of 20 ms. libopus works at 24 kHz, so nothing is
resampled. The codec looks ahead by LOOKAHEAD_SAMPLES. The decoder drops as many samples at the
start of each connection, so that a position means the same sample on both sides. In a frame to the
client the audio is that much later.

The codec is reset for each connection and, towards the client, for each reply. So a client that
resets its decoder with each reply hears nothing of an interrupted one. The first 2.5 to 10 ms after
a reset are blurred.
"""

import ctypes
from typing import Final

from gateway.protocol.audio_format import AudioFormat, Codec
from gateway.protocol.errors import CallError, ErrorCode
from shared.audio import FRAME_SAMPLES, SAMPLE_BYTES, SAMPLE_RATE_HZ

try:
    import opuslib_next as libopus
except Exception:  # not installed, or (its bare Exception) the system has no libopus
    libopus = None

AVAILABLE: Final = libopus is not None
LOOKAHEAD_SAMPLES: Final = SAMPLE_RATE_HZ * 13 // 2_000  # 6.5 ms of libopus: 156
MAX_PACKET_BYTES: Final = 4_000  # 60 ms at Opus' highest bit rate
MAX_PACKET_SAMPLES: Final = SAMPLE_RATE_HZ * 60 // 1_000  # 1,440
BITRATE: Final = 48_000  # an eighth of PCM16
# Measured with a spoken question on one of two busy cores: 80 us a frame and PESQ 3.8. At 8, where
# libopus may choose its speech coder: 390 us and PESQ 4.0. Decoding takes 35 us.
COMPLEXITY: Final = 5


class Opus:
    """One connection's decoder and encoder, for one thread only."""

    format: Final = AudioFormat(Codec.OPUS)

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
        """A packet of the caller -> PCM16. Raises CallError when it is no packet."""
        if len(packet) > MAX_PACKET_BYTES:
            raise CallError(
                ErrorCode.TOO_LARGE,
                f"Expected Opus packets of at most {MAX_PACKET_BYTES} bytes, got {len(packet)}",
            )
        if not packet:  # libopus would take it for a lost packet and make up audio
            raise CallError(ErrorCode.BAD_MESSAGE, "Expected an Opus packet, got no bytes")
        # The package's own `decode` makes a Python number of each sample, which is 3 times slower.
        samples = libopus.api.decoder.libopus_decode(
            self._decoder.decoder_state, packet, len(packet), self._pcm, MAX_PACKET_SAMPLES, 0
        )
        if samples < 0:
            problem = libopus.OpusError(samples)
            raise CallError(
                ErrorCode.BAD_MESSAGE, f"Expected an Opus packet of at most 60 ms, got: {problem}"
            )
        skipped = min(self._skip, samples)
        self._skip -= skipped
        return bytes(self._bytes[skipped * SAMPLE_BYTES : samples * SAMPLE_BYTES])

    def encode(self, pcm: bytes, generation: int) -> bytes:
        """One frame (960 bytes) of a reply -> a packet."""
        if generation != self._generation:
            self._generation = generation
            self._encoder.reset_state()
        packet: bytes = self._encoder.encode(pcm, FRAME_SAMPLES)
        return packet
