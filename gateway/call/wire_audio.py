"""Converts between the audio of binary messages and the log's PCM16 at 24 kHz.

Each connection has its own converter. It cuts the resampler's delay off the start of the caller's
audio, so that a position means the same sample on both sides. Towards the client each reply is a
stream of its own, so it contains nothing of an interrupted one. The resampler delays it by up to
3.6 ms.
"""

from collections.abc import Callable
from typing import Final, Protocol

from gateway.call.opus import AVAILABLE, Opus
from gateway.protocol.audio_format import AudioFormat, Codec
from shared import g711
from shared.audio import SAMPLE_BYTES, SAMPLE_RATE_HZ, Pcm16, pcm16_from_bytes
from shared.resampler import Resampler


class WireAudio(Protocol):
    """One connection's codec, in both directions."""

    @property
    def format(self) -> AudioFormat:
        """What the messages hold."""

    def decode(self, data: bytes) -> bytes:
        """A message of the caller -> the PCM16 that is complete now. Raises CallError."""

    def encode(self, pcm: bytes, generation: int) -> bytes:
        """One frame (960 bytes) of a reply -> the message for the client."""


class SampleAudio:
    """A codec with whole bytes a sample: PCM16, mu-law or A-law. Messages may cut a sample."""

    def __init__(self, audio_format: AudioFormat) -> None:
        self.format = audio_format
        rate_hz = audio_format.rate_hz
        self._converts = audio_format != AudioFormat()
        self._sample_bytes = SAMPLE_BYTES if audio_format.codec is Codec.PCM16 else 1
        self._up = Resampler(rate_hz, SAMPLE_RATE_HZ)
        self._down = Resampler(SAMPLE_RATE_HZ, rate_hz)
        self._skip = self._up.delay_samples
        self._part = b""  # the first byte of a sample whose second has not come yet
        self._generation = 0

    def decode(self, data: bytes) -> bytes:
        """A message of any length -> PCM16 at 24 kHz."""
        if self._part or len(data) % self._sample_bytes:
            data = self._part + data
            whole = len(data) - len(data) % self._sample_bytes
            data, self._part = data[:whole], data[whole:]
        if not self._converts:
            return data
        samples = self._up.process(_DECODE[self.format.codec](data))
        skipped = min(self._skip, len(samples))
        self._skip -= skipped
        return _pcm16_bytes(samples[skipped:])

    def encode(self, pcm: bytes, generation: int) -> bytes:
        """One frame of a reply -> one of 20 ms at the client's rate."""
        if not self._converts:
            return pcm
        if generation != self._generation:
            self._generation = generation
            self._down.reset()
        return _ENCODE[self.format.codec](self._down.process(pcm16_from_bytes(pcm)))


def wire_audio(wanted: AudioFormat) -> WireAudio:
    """The audio of a connection; PCM16 where this gateway cannot do Opus."""
    if wanted.codec is not Codec.OPUS:
        return SampleAudio(wanted)
    return Opus() if AVAILABLE else SampleAudio(AudioFormat())


def _pcm16_bytes(samples: Pcm16) -> bytes:
    return samples.astype("<i2", copy=False).tobytes()


_DECODE: Final[dict[Codec, Callable[[bytes], Pcm16]]] = {
    Codec.PCM16: pcm16_from_bytes,
    Codec.MULAW: g711.mulaw_decode,
    Codec.ALAW: g711.alaw_decode,
}
_ENCODE: Final[dict[Codec, Callable[[Pcm16], bytes]]] = {
    Codec.PCM16: _pcm16_bytes,
    Codec.MULAW: g711.mulaw_encode,
    Codec.ALAW: g711.alaw_encode,
}
