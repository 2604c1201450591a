"""Encodes and decodes the binary messages of a call: the codec and the sample rate."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from shared.audio import CHUNK_MS, SAMPLE_RATE_HZ, Pcm16, pcm16_from_bytes
from shared.g711 import G711_RATE_HZ, alaw_decode, alaw_encode, mulaw_decode, mulaw_encode

RATES_HZ: Final = (8_000, 16_000, 24_000, 48_000)  # of PCM16


def _pcm16_bytes(samples: Pcm16) -> bytes:
    return samples.astype("<i2").tobytes()


CODECS: Final[dict[str, tuple[Callable[[Pcm16], bytes], Callable[[bytes], Pcm16]]]] = {
    "pcm16": (_pcm16_bytes, pcm16_from_bytes),
    "mulaw": (mulaw_encode, mulaw_decode),
    "alaw": (alaw_encode, alaw_decode),
}


@dataclass(frozen=True, slots=True)
class Wire:
    """A codec and its rate, as `start` names them."""

    codec: str = "pcm16"
    rate_hz: int = SAMPLE_RATE_HZ

    @classmethod
    def of(cls, codec: str, rate_hz: int | None) -> "Wire":
        """The codec at this rate, or at its default rate; the server checks the pair."""
        default_hz = SAMPLE_RATE_HZ if codec == "pcm16" else G711_RATE_HZ
        return cls(codec, rate_hz or default_hz)

    @property
    def piece_samples(self) -> int:
        """Samples of 80 ms."""
        return self.rate_hz * CHUNK_MS // 1_000

    @property
    def fields(self) -> dict[str, str | int]:
        """What `start` says of it; nothing for the default."""
        return {} if self == Wire() else {"codec": self.codec, "sample_rate": self.rate_hz}

    def encode(self, samples: Pcm16) -> bytes:
        """Samples -> the bytes of a message."""
        return CODECS[self.codec][0](samples)

    def decode(self, data: bytes) -> Pcm16:
        """The bytes of a message -> samples."""
        return CODECS[self.codec][1](data)
