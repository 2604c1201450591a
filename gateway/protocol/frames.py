"""The binary messages of /ws/stream: audio from the client, numbered frames to it. Sans I/O.

Audio is in the format that `ready` names: little-endian PCM16 mono at 24 kHz by default.
"""

import struct
from typing import Final

MAX_FRAME_NUMBER: Final = 2**32 - 1  # the header's u32; 2.7 years of speech

HEADER: Final = struct.Struct("<IIHH")  # frame number, generation, flags, zero
FIRST_OF_REPLY: Final = 1
LAST_OF_REPLY: Final = 2


def pack_frame(number: int, generation: int, flags: int, audio: bytes) -> bytes:
    """One frame for an antiphon.v1 client: the 12-byte header, then 20 ms of audio."""
    return HEADER.pack(number, generation, flags, 0) + audio
