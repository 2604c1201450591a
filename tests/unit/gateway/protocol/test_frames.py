"""The binary messages: audio from the client, numbered frames to it."""

import pytest

from gateway.protocol.errors import CallError, ErrorCode
from gateway.protocol.frames import HEADER, MAX_AUDIO_BYTES, check_audio, pack_frame


def test_half_a_sample_is_refused() -> None:
    with pytest.raises(CallError, match="got 3 bytes") as caught:
        check_audio(b"abc")
    assert caught.value.code is ErrorCode.BAD_MESSAGE


def test_the_size_of_a_message_is_limited() -> None:
    check_audio(bytes(MAX_AUDIO_BYTES))
    with pytest.raises(CallError, match="65538") as caught:
        check_audio(bytes(MAX_AUDIO_BYTES + 2))
    assert caught.value.code is ErrorCode.TOO_LARGE


def test_a_frame_has_a_twelve_byte_header() -> None:
    packed = pack_frame(0x01020304, 5, 3, b"\x07\x08")
    assert packed == bytes.fromhex("04030201 05000000 0300 0000 0708")
    assert HEADER.size == 12
