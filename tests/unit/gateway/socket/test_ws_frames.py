"""A client's WebSocket frames in bytes of any cutting, and the gateway's own."""

import pytest
from websockets.frames import Frame, Opcode

from gateway.socket.ws_frames import FrameCutter, extent, packed

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
