import asyncio
import random
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
import uvicorn
from uvicorn.server import ServerState
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from gateway.socket.transport import ASIDES, Wire
from gateway.socket.ws_frames import extent
from gateway.token_bucket import TokenBucket

MAX_BYTES = 20_000
MESSAGES: list[bytes | str] = [
    *(bytes([n % 251]) * size for n, size in enumerate((0, 1, 125, 126, 3_840, 3_840, 17_000))),
    *("played", "", "größer" * 30),
]


def framed(opcode: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=True)


def spoken(message: bytes | str) -> bytes:
    if isinstance(message, str):
        return framed(Opcode.TEXT, message.encode())
    return framed(Opcode.BINARY, message)


async def accept(scope: Any, receive: Any, send: Any) -> None:
    """An application that lets everybody in and listens to nobody."""
    await send({"type": "websocket.accept"})
    await asyncio.Event().wait()


class Socket:
    """A served socket behind its handshake, with what it hears."""

    def __init__(self) -> None:
        config = uvicorn.Config(
            accept, interface="asgi3", ws_max_size=MAX_BYTES, ws_per_message_deflate=False
        )
        self.wire = Wire(config=config, server_state=ServerState(), app_state={})
        self.transport = mock.MagicMock(spec=asyncio.Transport)
        self.transport.is_closing.return_value = False
        self.wire.connection_made(self.transport)
        client = ClientProtocol(parse_uri("ws://gateway/"))
        client.send_request(client.connect())
        self.wire.data_received(b"".join(client.data_to_send()))
        self.heard: list[bytes | str] = []

    def hear(self) -> None:
        self.wire.attach(self.heard.append)

    @property
    def sent(self) -> bytes:
        return b"".join(call.args[0] for call in self.transport.write.call_args_list)


@pytest.fixture
async def socket() -> Any:
    socket = Socket()
    for _ in range(5):  # the application runs, and accepts
        await asyncio.sleep(0)
    assert socket.wire.handshake_complete
    yield socket
    socket.wire.stop_keepalive()
    for task in socket.wire.tasks:
        task.cancel()
    await asyncio.gather(*socket.wire.tasks, return_exceptions=True)


def cuts(data: bytes, seed: int) -> Iterator[bytes]:
    draw, at = random.Random(seed), 0
    while at < len(data):
        size = draw.choice((1, 1, 2, 3, 7, 200, 4_000, 9_000))
        yield data[at : at + size]
        at += size


@pytest.mark.parametrize("seed", range(5))
async def test_any_cutting_of_the_bytes_gives_the_same_messages(socket: Socket, seed: int) -> None:
    ping = framed(Opcode.PING, b"!")
    data = b"".join(spoken(message) + ping for message in MESSAGES)
    socket.hear()
    for piece in cuts(data, seed):
        socket.wire.data_received(piece)
    assert socket.heard == MESSAGES
    assert socket.sent.count(b"\x8a\x01!") == len(MESSAGES), "every ping has its pong"


async def test_fragments_are_put_together_and_what_follows_is_heard(socket: Socket) -> None:
    socket.hear()
    socket.wire.data_received(spoken(b"one"))
    parts = framed(Opcode.BINARY, b"t", fin=False) + framed(Opcode.CONT, b"wo") + spoken("three")
    for piece in cuts(parts, 1):
        socket.wire.data_received(piece)
    assert socket.heard == [b"one", b"two", "three"]


async def test_a_flood_of_pings_or_empty_pieces_is_cut_off(socket: Socket) -> None:
    socket.wire._asides = TokenBucket(0.0, capacity=ASIDES, per_s=0.0)
    socket.hear()
    socket.wire.data_received(framed(Opcode.BINARY, b"", fin=False))
    for _ in range(ASIDES):
        socket.wire.data_received(framed(Opcode.CONT, b"", fin=False))
    assert not socket.transport.abort.called
    socket.wire.data_received(framed(Opcode.PING, b"") * 50)
    assert socket.transport.abort.called
    assert len(socket.wire.frames) <= ASIDES + 1
    assert not socket.sent.count(b"\x8a\x00")


async def test_what_came_before_it_was_served_is_heard_first(socket: Socket) -> None:
    data = spoken("start") + spoken(b"audio") + spoken(b"more")
    socket.wire.data_received(data[:20])
    socket.hear()
    socket.wire.data_received(data[20:])
    assert socket.heard == ["start", b"audio", b"more"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (Frame(Opcode.BINARY, b"no mask").serialize(mask=False), 1002),
        (b"\xc2" + spoken(b"a bit that nobody agreed on")[1:], 1002),
        (framed(Opcode.TEXT, b"\xff\xfe"), 1007),
        (framed(Opcode.BINARY, bytes(MAX_BYTES + 1))[:8], 1009),
        (b"\x82\xff" + b"\xff" * 8, 1009),
    ],
    ids=["mask", "extension", "utf-8", "large", "huge"],
)
async def test_what_breaks_the_protocol_closes_the_socket(
    socket: Socket, data: bytes, code: int
) -> None:
    socket.hear()
    socket.wire.data_received(data)
    assert b"\x88" in socket.sent
    assert code.to_bytes(2, "big") in socket.sent
    assert not socket.heard
    assert not socket.wire.open


def test_of_a_frame_that_is_not_whole_it_is_known_how_much_is_wanted() -> None:
    data = spoken(bytes(3_840))
    assert extent(data[:1], 0)[1] == 2
    assert extent(data[:3], 0)[1] == 4
    assert extent(data[:4], 0)[1] == len(data)
    assert extent(b"??" + data, 2) == (10, len(data) + 2)
