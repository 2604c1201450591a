"""A client's WebSocket frames in a stream of bytes, sans I/O: where the next one ends."""

from typing import Final, NamedTuple

BINARY: Final = 0x82  # first byte of a whole message without extensions
TEXT: Final = 0x81
_MASK_BYTES: Final = 4  # a client's frame has a mask
_FINAL_OR_CONTROL: Final = 0x88


class Extent(NamedTuple):
    """One frame: it begins with `first`, its payload lies from `start` to `end`.

    The mask stands before the payload. `end` is beyond the data of a frame that is not whole; where
    not even its head is, that many bytes are needed to know more.
    """

    first: int
    start: int
    end: int

    @property
    def plain(self) -> bool:
        """Whether it is a whole message."""
        return self.first == BINARY or self.first == TEXT

    @property
    def fragment(self) -> bool:
        """Whether it begins or continues a message in several frames."""
        return not self.first & _FINAL_OR_CONTROL or not self.first & 0x0F


def extent(data: bytes | bytearray, at: int) -> Extent:
    """The frame that begins at `at`, which lies within the data."""
    first = data[at]
    if len(data) < at + 2:
        return Extent(first, at + 2, at + 2)
    size, start = data[at + 1] & 0x7F, at + 2
    if size > 125:
        start += 2 if size == 126 else 8
        if len(data) < start:
            return Extent(first, start, start)
        size = int.from_bytes(data[at + 2 : start], "big")
    start += _MASK_BYTES
    return Extent(first, start, start + size)


def masked(data: bytes | bytearray, at: int) -> bool:
    """Whether the frame at `at` has the mask that it must have, as far as the data shows."""
    return len(data) < at + 2 or bool(data[at + 1] & 0x80)
