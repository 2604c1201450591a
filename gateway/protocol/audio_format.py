"""How one connection's binary messages carry audio: the codec and the sample rate. Sans I/O."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.protocol.errors import CallError, ErrorCode
from shared.audio import FRAME_MS, SAMPLE_RATE_HZ
from shared.g711 import G711_RATE_HZ


class Codec(StrEnum):
    """The encoding of binary messages, in both directions."""

    PCM16 = "pcm16"
    OPUS = "opus"
    MULAW = "mulaw"
    ALAW = "alaw"


# The first rate is the default.
RATES_HZ: Final = {
    Codec.PCM16: (SAMPLE_RATE_HZ, 8_000, 16_000, 48_000),
    Codec.OPUS: (SAMPLE_RATE_HZ,),
    Codec.MULAW: (G711_RATE_HZ,),
    Codec.ALAW: (G711_RATE_HZ,),
}


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """The codec and its rate. Clients count samples at `rate_hz`, the log at SAMPLE_RATE_HZ."""

    codec: Codec = Codec.PCM16
    rate_hz: int = SAMPLE_RATE_HZ

    @classmethod
    def of(cls, codec: Codec, rate_hz: int | None) -> "AudioFormat":
        """The format that a client asks for; null is the codec's default. Raises CallError."""
        rates = RATES_HZ[codec]
        if rate_hz is not None and rate_hz not in rates:
            wanted = " or ".join(map(str, sorted(rates)))
            fits = f"'sample_rate' as {wanted} with the codec {codec.value}"
            raise CallError(ErrorCode.BAD_MESSAGE, f"Expected {fits}, got {rate_hz!r:.20}")
        return cls(codec, rates[0] if rate_hz is None else rate_hz)

    @property
    def frame_samples(self) -> int:
        """Samples of one frame of 20 ms."""
        return self.rate_hz * FRAME_MS // 1_000

    def position(self, sample: int) -> int:
        """A position in the log's samples -> in the client's, rounded down."""
        return sample * self.rate_hz // SAMPLE_RATE_HZ
