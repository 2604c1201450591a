"""The binary messages of /ws/stream: audio from the client, numbered frames to it. Sans I/O.

Audio is little-endian PCM16 mono at 24 kHz, or Opus packets where `ready` names that codec.
"""

import struct
from enum import StrEnum
from typing import Final

from gateway.protocol.errors import CallError, ErrorCode
from shared.audio import SAMPLE_BYTES

MAX_AUDIO_BYTES: Final = 64 * 1024  # 1.36 s of audio in one message
MAX_FRAME_NUMBER: Final = 2**32 - 1  # the header's u32; 2.7 years of speech

HEADER: Final = struct.Struct("<IIHH")  # frame number, generation, flags, zero
FIRST_OF_REPLY: Final = 1
LAST_OF_REPLY: Final = 2


class Codec(StrEnum):
    """The encoding of binary messages, in both directions."""

    PCM16 = "pcm16"
    OPUS = "opus"


def check_audio(data: bytes) -> None:
    """Check that a PCM16 message holds whole samples within the limit. Raises CallError."""
    if len(data) > MAX_AUDIO_BYTES:
        raise CallError(
            ErrorCode.TOO_LARGE,
            f"Expected audio messages of at most {MAX_AUDIO_BYTES} bytes, got {len(data)}",
        )
    if len(data) % SAMPLE_BYTES:
        raise CallError(
            ErrorCode.BAD_MESSAGE, f"Expected whole 16-bit samples, got {len(data)} bytes"
        )


def pack_frame(number: int, generation: int, flags: int, audio: bytes) -> bytes:
    """One frame for an antiphon.v1 client: the 12-byte header, then samples or an Opus packet."""
    return HEADER.pack(number, generation, flags, 0) + audio
