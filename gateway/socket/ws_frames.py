"""WebSocket frames, sans I/O: cuts a client's bytes into frames, packs messages for a client."""

import struct
from collections.abc import Iterator
from typing import Final

BINARY: Final = 0x82  # first byte of a whole message without extensions
TEXT: Final = 0x81
MASK_BYTES: Final = 4  # before the payload of every frame of a client
_MASKED: Final = 0x80
_FINAL: Final = 0x80
_OPCODE: Final = 0x0F
_SHORT: Final = struct.Struct("!BB")
_MEDIUM: Final = struct.Struct("!BBH")
_LONG: Final = struct.Struct("!BBQ")


class FrameCutter:
    """Collects bytes until a frame is whole.

    A frame that is not masked, is part of a message or is too large ends the cutting: from there on
    all bytes pass as they come, and the WebSocket library judges them.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._partial = bytearray()
        self._needed = 0  # bytes that the partial frame takes at least
        self._cutting = True

    def feed(self, data: bytes) -> Iterator[tuple[bytes, int]]:
        """Each whole frame and the place of its payload; (bytes, 0) for bytes that pass."""
        if not self._cutting:
            yield data, 0
            return
        if self._partial:
            self._partial += data
            if len(self._partial) < self._needed:
                return
            data = bytes(self._partial)
            self._partial.clear()
        at = 0
        while at < len(data):
            start, end = extent(data, at)
            if _irregular(data, at) or end - at > self._max_bytes:
                self._cutting = False
                yield data[at:], 0
                return
            if end > len(data):
                self._partial += data[at:]
                self._needed = end - at
                return
            yield data[at:end], start - at
            at = end


def extent(data: bytes, at: int) -> tuple[int, int]:
    """Where the payload of the frame at `at` starts and ends.

    The end lies beyond the data if the frame is not whole. If not even its head is, both are the
    number of bytes that are needed to learn more.
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


def packed(message: bytes | str) -> bytes:
    """A message for a client as one frame, which a server does not mask."""
    opcode, payload = (TEXT, message.encode()) if isinstance(message, str) else (BINARY, message)
    size = len(payload)
    if size < 126:
        return _SHORT.pack(opcode, size) + payload
    if size < 65_536:
        return _MEDIUM.pack(opcode, 126, size) + payload
    return _LONG.pack(opcode, 127, size) + payload


def _irregular(data: bytes, at: int) -> bool:
    """Whether the frame at `at` has no mask, or is only part of a message."""
    if len(data) > at + 1 and not data[at + 1] & _MASKED:
        return True
    return not (data[at] & _FINAL and data[at] & _OPCODE)
