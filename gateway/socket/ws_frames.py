"""WebSocket frames, sans I/O: cuts a client's bytes into frames, packs messages for a client."""

import struct
from collections.abc import Iterator
from typing import Final

BINARY: Final = 0x82  # first byte of a whole message without extensions
TEXT: Final = 0x81
MASK_BYTES: Final = 4  # before the payload of every frame of a client
PIECE_BYTES: Final = 64 * 1024  # a larger binary message is handed on in pieces of so much
PIECE_AT: Final = 1 + MASK_BYTES  # where the payload of a piece begins
_MASKED: Final = 0x80
_FINAL: Final = 0x80
_OPCODE: Final = 0x0F
_SHORT: Final = struct.Struct("!BB")
_MEDIUM: Final = struct.Struct("!BBH")
_LONG: Final = struct.Struct("!BBQ")


class FrameCutter:
    """Collects bytes until a frame is whole. A large binary message comes in pieces, as it arrives.

    A frame that is not masked, is part of a message or is too large ends the cutting. After it, all
    bytes pass as they come, and the WebSocket library judges them.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._partial = bytearray()
        self._needed = 0  # bytes that the partial frame or piece takes at least
        self._cutting = True
        self._left = 0  # bytes of a large message that have not come yet
        self._piece_head = b""

    @property
    def held_bytes(self) -> int:
        """How much of a frame is here that is not whole yet."""
        return len(self._partial)

    def clear(self) -> None:
        """Forget that frame: nothing more comes."""
        self._partial.clear()

    def feed(self, data: bytes, *, split: bool = False) -> Iterator[tuple[bytes, int]]:
        """Each whole frame and the place of its payload; (bytes, 0) for bytes that pass.

        With `split` a large binary message gives a frame for each piece, whatever its size. Such a
        frame has its payload at PIECE_AT. It has no length, so the library cannot read it.
        """
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
            cut = self._piece(data, at) if self._left else self._frame(data, at, split=split)
            if cut is None:
                self._partial += data[at:]
                return
            frame, payload_at, at = cut
            if frame:
                yield frame, payload_at

    def _frame(self, data: bytes, at: int, *, split: bool) -> tuple[bytes, int, int] | None:
        """The frame at `at`, the place of its payload, and where the next begins.

        The frame is empty at the head of a large message. None if more bytes are needed.
        """
        start, end = extent(data, at)
        large = split and data[at] == BINARY and PIECE_BYTES < end - start < 2**63
        if _irregular(data, at) or (end - at > self.max_bytes and not large):
            self._cutting = False
            return data[at:], 0, len(data)
        needed_to = start if large else end
        if needed_to > len(data):
            self._needed = needed_to - at
            return None
        if large:
            self._left = end - start
            self._piece_head = data[at : at + 1] + data[start - MASK_BYTES : start]
            return b"", 0, start
        return data[at:end], start - at, end

    def _piece(self, data: bytes, at: int) -> tuple[bytes, int, int] | None:
        """The next piece of a large message as a frame; None if more bytes are needed."""
        size = min(self._left, len(data) - at, PIECE_BYTES)
        if size < self._left:
            size -= size % MASK_BYTES  # each piece begins with the mask's first byte
        if not size:
            self._needed = min(self._left, MASK_BYTES)
            return None
        self._left -= size
        return self._piece_head + data[at : at + size], PIECE_AT, at + size


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
