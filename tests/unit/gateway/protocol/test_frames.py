"""The binary messages: audio from the client, numbered frames to it."""

from gateway.protocol.frames import HEADER, pack_frame


def test_a_frame_has_a_twelve_byte_header() -> None:
    packed = pack_frame(0x01020304, 5, 3, b"\x07\x08")
    assert packed == bytes.fromhex("04030201 05000000 0300 0000 0708")
    assert HEADER.size == 12
