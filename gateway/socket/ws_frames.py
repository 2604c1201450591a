"""A client's WebSocket frames in a stream of bytes, sans I/O: where the next one ends."""

from typing import Final

BINARY: Final = 0x82  # first byte of a whole message without extensions
TEXT: Final = 0x81
_MASKED: Final = 0x80
_FINAL: Final = 0x80
_OPCODE: Final = 0x0F
MASK_BYTES: Final = 4  # before the payload of every frame of a client


def extent(data: bytes | bytearray, at: int) -> tuple[int, int]:
    """Where the payload of the frame at `at` (within the data) starts and ends.

    The end is beyond the data of a frame that is not whole; where not even its head is, that many
    bytes are needed to know more.
    """
    if len(data) < at + 2:
        return at + 2, at + 2
    size, start = data[at + 1] & 0x7F, at + 2
    if size > 125:
        start += 2 if size == 126 else 8
        if len(data) < start:
            return start, start
        size = int.from_bytes(data[at + 2 : start], "big")
    start += MASK_BYTES
    return start, start + size


def irregular(data: bytes | bytearray, at: int) -> bool:
    """Whether the frame at `at` lacks its mask, or is but a part of a message."""
    if len(data) > at + 1 and not data[at + 1] & _MASKED:
        return True
    return not (data[at] & _FINAL and data[at] & _OPCODE)
