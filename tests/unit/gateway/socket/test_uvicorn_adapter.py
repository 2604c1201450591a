"""A WebSocket on uvicorn: its messages, its limits, and what closes it."""

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

from gateway.socket.uvicorn_adapter import (
    EXTRA_FRAMES,
    LARGE_EVERY_S,
    LARGE_WAIT_S,
    WS_PING_TIMEOUT_S,
    WS_READ_BYTES,
    LargeTexts,
    WebSocketConnection,
)
from gateway.token_bucket import TokenBucket
from tests.patience import until

MAX_BYTES = 20_000
MESSAGES: list[bytes | str] = [
    *(bytes([n % 251]) * size for n, size in enumerate((0, 1, 125, 126, 3_840, 3_840, 17_000))),
    *("played", "", "größer" * 30),
]


def framed(opcode: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=True)


def sent_by_client(message: bytes | str) -> bytes:
    if isinstance(message, str):
        return framed(Opcode.TEXT, message.encode())
    return framed(Opcode.BINARY, message)


async def accept(scope: Any, receive: Any, send: Any) -> None:
    """An application that accepts every socket and reads nothing."""
    await send({"type": "websocket.accept"})
    await asyncio.Event().wait()


class Socket:
    """A socket after its handshake, with the messages that its handler received."""

    def __init__(self) -> None:
        config = uvicorn.Config(
            accept, interface="asgi3", ws_max_size=MAX_BYTES, ws_per_message_deflate=False
        )
        self.connection = WebSocketConnection(
            config=config, server_state=ServerState(), app_state={}
        )
        self.transport = mock.MagicMock(spec=asyncio.Transport)
        self.transport.is_closing.return_value = False
        self.connection.connection_made(self.transport)
        client = ClientProtocol(parse_uri("ws://gateway/"))
        client.send_request(client.connect())
        self.connection.data_received(b"".join(client.data_to_send()))
        self.received: list[bytes | str] = []

    def attach(self) -> None:
        self.connection.attach(self.received.append)

    @property
    def sent(self) -> bytes:
        return b"".join(call.args[0] for call in self.transport.write.call_args_list)


@pytest.fixture
async def socket() -> Any:
    socket = Socket()
    for _ in range(5):  # the application runs, and accepts
        await asyncio.sleep(0)
    assert socket.connection.handshake_complete
    yield socket
    socket.connection.stop_keepalive()
    for task in socket.connection.tasks:
        task.cancel()
    await asyncio.gather(*socket.connection.tasks, return_exceptions=True)


def cuts(data: bytes, seed: int) -> Iterator[bytes]:
    draw, at = random.Random(seed), 0
    while at < len(data):
        size = draw.choice((1, 1, 2, 3, 7, 200, 4_000, 9_000))
        yield data[at : at + size]
        at += size


@pytest.mark.parametrize("seed", range(5))
async def test_any_cutting_of_the_bytes_gives_the_same_messages(socket: Socket, seed: int) -> None:
    ping = framed(Opcode.PING, b"!")
    data = b"".join(sent_by_client(message) + ping for message in MESSAGES)
    socket.attach()
    for piece in cuts(data, seed):
        socket.connection.data_received(piece)
    assert socket.received == MESSAGES
    assert socket.sent.count(b"\x8a\x01!") == len(MESSAGES), "every ping has its pong"


async def test_fragments_are_joined_and_later_messages_arrive(socket: Socket) -> None:
    socket.attach()
    socket.connection.data_received(sent_by_client(b"one"))
    parts = (
        framed(Opcode.BINARY, b"t", fin=False)
        + framed(Opcode.CONT, b"wo")
        + sent_by_client("three")
    )
    for piece in cuts(parts, 1):
        socket.connection.data_received(piece)
    assert socket.received == [b"one", b"two", "three"]


async def test_a_message_beyond_all_buffers_is_taken_in_pieces(socket: Socket) -> None:
    sent = bytes(range(250)) * 2_000
    socket.attach()
    for piece in cuts(sent_by_client("before") + sent_by_client(sent) + sent_by_client("after"), 3):
        socket.connection.data_received(piece)
    assert socket.received[0] == "before"
    assert socket.received[-1] == "after"
    assert b"".join(piece for piece in socket.received[1:-1] if isinstance(piece, bytes)) == sent


async def test_a_flood_of_pings_or_empty_fragments_is_cut_off(socket: Socket) -> None:
    socket.connection._extra_frames = TokenBucket(0.0, capacity=EXTRA_FRAMES, per_s=0.0)
    socket.attach()
    socket.connection.data_received(framed(Opcode.BINARY, b"", fin=False))
    for _ in range(EXTRA_FRAMES):
        socket.connection.data_received(framed(Opcode.CONT, b"", fin=False))
    assert b"error" not in socket.sent
    socket.connection.data_received(framed(Opcode.PING, b"") * 50)
    assert not socket.connection.open
    assert b'"code":"too_fast"' in socket.sent
    assert (4429).to_bytes(2, "big") in socket.sent
    socket.connection.data_received(sent_by_client(b"more"))
    assert not socket.received
    assert len(socket.connection.frames) <= EXTRA_FRAMES + 1
    assert not socket.sent.count(b"\x8a\x00")


async def test_messages_from_before_the_handler_was_attached_come_first(socket: Socket) -> None:
    data = sent_by_client("start") + sent_by_client(b"audio") + sent_by_client(b"more")
    socket.connection.data_received(data[:20])
    socket.attach()
    socket.connection.data_received(data[20:])
    assert socket.received == ["start", b"audio", b"more"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (Frame(Opcode.BINARY, b"no mask").serialize(mask=False), 1002),
        (b"\xc2" + sent_by_client(b"a bit of an extension that was not agreed on")[1:], 1002),
        (framed(Opcode.TEXT, b"\xff\xfe"), 1007),
        (framed(Opcode.BINARY, bytes(MAX_BYTES + 1))[:8], 1009),
        (b"\x82\xff" + b"\xff" * 8, 1009),
    ],
    ids=["mask", "extension", "utf-8", "large", "huge"],
)
async def test_what_breaks_the_protocol_closes_the_socket(
    socket: Socket, data: bytes, code: int
) -> None:
    socket.attach()
    socket.connection.data_received(data)
    assert b"\x88" in socket.sent
    assert code.to_bytes(2, "big") in socket.sent
    error = "too_large" if code == 1009 else "bad_message"
    assert socket.sent.index(f'"code":"{error}"'.encode()) < socket.sent.index(b"\x88")
    socket.connection.data_received(data)  # what still comes is read and dropped
    assert not socket.transport.close.called
    assert not socket.received
    assert not socket.connection.open


async def test_a_dialect_may_take_larger_texts_and_has_errors_of_its_own(socket: Socket) -> None:
    socket.connection.speak(2 * MAX_BYTES, lambda error: f"sorry: {error.code}")
    socket.attach()
    large = "x" * (2 * MAX_BYTES - 100)
    parts = framed(Opcode.TEXT, large[:MAX_BYTES].encode(), fin=False)
    parts += framed(Opcode.CONT, large[MAX_BYTES:].encode())
    for piece in cuts(sent_by_client(large) + parts, 3):
        socket.connection.data_received(piece)
    assert socket.received == [large, large]
    socket.connection.data_received(sent_by_client(large + "y" * 200))
    assert b"sorry: too_large" in socket.sent
    assert socket.received == [large, large]


async def test_large_texts_are_taken_one_after_the_other_and_keep_their_order(
    socket: Socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = iter((0.0, 0.02, 0.01))
    monkeypatch.setattr(socket.connection._large_texts, "wait_s", lambda: next(turns))
    socket.connection.speak(3 * WS_READ_BYTES, lambda error: error.code)
    socket.connection.take_large_texts()
    socket.attach()
    texts = [letter * (2 * WS_READ_BYTES) for letter in "abc"]
    socket.connection.data_received(b"".join(map(sent_by_client, [*texts, "last"])))
    assert socket.received == texts[:1]
    assert socket.transport.pause_reading.called
    await until(lambda: len(socket.received) == 4)
    assert socket.received == [*texts, "last"]
    assert socket.transport.resume_reading.call_count == 2


def test_large_texts_leave_time_for_other_calls() -> None:
    texts = LargeTexts()
    waits = [texts.wait_s() for _ in range(4)]
    assert waits[0] == 0
    assert waits == sorted(waits)
    assert 0 < waits[3] <= 3 * LARGE_EVERY_S
    assert max(texts.wait_s() for _ in range(100)) <= LARGE_WAIT_S < WS_PING_TIMEOUT_S


async def test_a_large_text_is_read_on_only_when_its_client_may_send_it(socket: Socket) -> None:
    text = "x" * (2 * WS_READ_BYTES)
    socket.connection.speak(3 * WS_READ_BYTES, lambda error: error.code)
    data = sent_by_client(text)
    socket.connection.data_received(data[:WS_READ_BYTES])
    assert not socket.transport.pause_reading.called
    socket.connection.data_received(data[WS_READ_BYTES : WS_READ_BYTES + 1_000])
    assert socket.transport.pause_reading.called
    socket.connection.take_large_texts()
    assert socket.transport.resume_reading.called
    socket.attach()
    socket.connection.data_received(data[WS_READ_BYTES + 1_000 :])
    assert socket.received == [text]
