"""A Realtime client's audio formats: 24 kHz PCM16, or G.711 at 8 kHz. Sans I/O."""

from collections.abc import Callable
from typing import Final

from gateway.realtime.errors import RealtimeError
from shared.audio import SAMPLE_BYTES, SAMPLE_RATE_HZ, Pcm16, pcm16_from_bytes
from shared.g711 import G711_RATE_HZ, alaw_decode, alaw_encode, mulaw_decode, mulaw_encode
from shared.resampler import Resampler

MAX_APPEND_BYTES: Final = 15 * 1024 * 1024  # of PCM16 at 24 kHz in one event, as OpenAI allows
MAX_APPEND_S: Final = MAX_APPEND_BYTES / SAMPLE_BYTES / SAMPLE_RATE_HZ  # 327.68

_DECODE: Final[dict[str, Callable[[bytes], Pcm16]]] = {
    "audio/pcmu": mulaw_decode,
    "audio/pcma": alaw_decode,
}
_ENCODE: Final[dict[str, Callable[[Pcm16], bytes]]] = {
    "audio/pcmu": mulaw_encode,
    "audio/pcma": alaw_encode,
}


def check_length(size: int, bytes_per_s: int) -> None:
    """Raises RealtimeError for more sound than one event may hold, in whatever encoding."""
    if size > MAX_APPEND_S * bytes_per_s:
        raise RealtimeError(
            "invalid_value",
            f"Invalid 'audio': expected at most {MAX_APPEND_S:.2f} s of sound in one event "
            f"({MAX_APPEND_BYTES} bytes of PCM16 at 24 kHz), got {size / bytes_per_s:.2f} s.",
            "audio",
        )


class InputFormat:
    """The caller's sound, as the client sends it, to PCM16 at 24 kHz."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._decode = _DECODE.get(kind)
        self._resampler = Resampler(G711_RATE_HZ, SAMPLE_RATE_HZ)

    def to_pcm(self, data: bytes) -> bytes:
        """Raises RealtimeError for too long a sound, or PCM16 that does not hold whole samples."""
        bytes_per_s = SAMPLE_BYTES * SAMPLE_RATE_HZ if self._decode is None else G711_RATE_HZ
        check_length(len(data), bytes_per_s)
        if self._decode is not None:
            return self._resampler.process(self._decode(data)).astype("<i2").tobytes()
        if len(data) % SAMPLE_BYTES:
            raise RealtimeError(
                "invalid_value",
                f"Invalid 'audio': expected whole 16-bit samples, got {len(data)} bytes.",
                "audio",
            )
        return data


class OutputFormat:
    """The assistant's PCM16 at 24 kHz, to what the client asked for."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._encode = _ENCODE.get(kind)
        self._resampler = Resampler(SAMPLE_RATE_HZ, G711_RATE_HZ)

    def from_pcm(self, pcm: bytes) -> bytes:
        """The next piece of one continuous sound."""
        if self._encode is None:
            return pcm
        return self._encode(self._resampler.process(pcm16_from_bytes(pcm)))

    def reset(self) -> None:
        """Another sound begins."""
        self._resampler.reset()
