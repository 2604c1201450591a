"""A client's WebSocket frames in bytes of any cutting, and the gateway's own."""

import pytest
from websockets.frames import Frame, Opcode
from websockets.speedups import apply_mask

from gateway.socket.ws_frames import (
    MASK_BYTES,
    PIECE_AT,
    PIECE_BYTES,
    FrameCutter,
    extent,
    packed,
)

MAX_BYTES = 20_000


def framed(data: bytes, opcode: Opcode = Opcode.BINARY, *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=True)


def test_of_a_partial_frame_it_is_known_how_many_bytes_are_needed() -> None:
    data = framed(bytes(3_840))
    assert extent(data[:1], 0)[1] == 2
    assert extent(data[:3], 0)[1] == 4
    assert extent(data[:4], 0)[1] == len(data)
    assert extent(b"??" + data, 2) == (10, len(data) + 2)


@pytest.mark.parametrize("piece", [1, 3, 100, 10_000])
def test_bytes_of_any_cutting_give_the_same_frames(piece: int) -> None:
    frames = [framed(bytes([n]) * size) for n, size in enumerate((0, 1, 125, 126, 3_840))]
    data, cutter = b"".join(frames), FrameCutter(MAX_BYTES)
    found = [cut for at in range(0, len(data), piece) for cut in cutter.feed(data[at : at + piece])]
    assert [frame for frame, _ in found] == frames
    assert [len(frame) - payload_at for frame, payload_at in found] == [0, 1, 125, 126, 3_840]


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(framed(b"part", fin=False), id="fragment"),
        pytest.param(Frame(Opcode.BINARY, b"no mask").serialize(mask=False), id="no mask"),
        pytest.param(framed(bytes(MAX_BYTES + 1))[:8], id="too large"),
    ],
)
def test_all_bytes_pass_from_an_irregular_frame_on(odd: bytes) -> None:
    cutter = FrameCutter(MAX_BYTES)
    first = framed(b"first")
    assert list(cutter.feed(first + odd)) == [(first, 6), (odd, 0)]
    assert list(cutter.feed(b"anything")) == [(b"anything", 0)]


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_a_message_for_the_client_is_one_frame(size: int) -> None:
    assert packed(bytes(size)) == Frame(Opcode.BINARY, bytes(size)).serialize(mask=False)
    text = "ü" * (size // 2)
    assert packed(text) == Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


@pytest.mark.parametrize("piece", [1, 3, 5_000, 70_000, 400_000])
def test_a_large_message_comes_in_pieces_whatever_its_size(piece: int) -> None:
    payload = bytes(range(251)) * 1_200  # 301,200 bytes
    before, after = framed(b"before"), framed(b"after")
    data, cutter = before + framed(payload) + after, FrameCutter(MAX_BYTES)
    found = [
        cut
        for at in range(0, len(data), piece)
        for cut in cutter.feed(data[at : at + piece], split=True)
    ]
    assert found[0] == (before, 6)
    assert found[-1] == (after, 6)
    pieces = [
        apply_mask(frame[payload_at:], frame[payload_at - MASK_BYTES : payload_at])
        for frame, payload_at in found[1:-1]
    ]
    assert b"".join(pieces) == payload
    assert {payload_at for _, payload_at in found[1:-1]} == {PIECE_AT}
    assert max(map(len, pieces)) <= PIECE_BYTES


def test_a_large_text_is_not_taken_in_pieces() -> None:
    odd = framed(bytes(MAX_BYTES * 4), Opcode.TEXT)
    assert list(FrameCutter(MAX_BYTES).feed(odd, split=True)) == [(odd, 0)]
