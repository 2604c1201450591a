"""A cheap WebSocket client, so that one core can play a thousand callers.

It has what a load generator needs: the handshake, unfragmented messages both ways, pong and close.
Its mask is zero, as the protocol allows: the server unmasks as ever, the client saves the masking.
"""

import asyncio
import base64
import struct
from collections.abc import Callable
from typing import Final, cast

TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA
_FINAL: Final = 0x80
_MASKED: Final = 0x80
_NO_MASK: Final = bytes(4)

Receive = Callable[[int, bytes], None]


def frame(opcode: int, payload: bytes) -> bytes:
    """A whole message as a client sends it."""
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", _FINAL | opcode, _MASKED | size)
    else:
        head = struct.pack("!BBH", _FINAL | opcode, _MASKED | 126, size)
    return head + _NO_MASK + payload


class Connection(asyncio.Protocol):
    """One connection. `receive` gets the opcode and payload of each text or binary message."""

    def __init__(self, path: str, subprotocol: str, receive: Receive) -> None:
        self.closed = False
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._path = path
        self._subprotocol = subprotocol
        self._on_message = receive
        self._rest = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Request the upgrade."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is not a subclass
        extra = f"Sec-WebSocket-Protocol: {self._subprotocol}\r\n" if self._subprotocol else ""
        key = base64.b64encode(bytes(16)).decode()
        self._transport.write(
            f"GET {self._path} HTTP/1.1\r\nHost: load\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            f"Sec-WebSocket-Version: 13\r\n{extra}\r\n".encode()
        )

    def send(self, opcode: int, payload: bytes) -> None:
        """Send one message, unless the connection is closed."""
        if self._transport is not None and not self.closed:
            self._transport.write(frame(opcode, payload))

    def data_received(self, data: bytes) -> None:
        """Take received data: first the answer to the upgrade, then messages."""
        data = self._rest + data if self._rest else data
        if not self.opened.done():
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self._rest = head
                return
            self._check_upgrade(head)
        self._rest = data[self._take(data) :]

    def connection_lost(self, exc: Exception | None) -> None:
        """The server has closed the connection."""
        self.closed = True
        if not self.opened.done():
            self.opened.set_exception(ConnectionError(f"Expected an upgrade, got {exc}"))

    def _check_upgrade(self, head: bytes) -> None:
        if b" 101 " in head.split(b"\r\n", 1)[0]:
            self.opened.set_result(None)
        else:
            self.opened.set_exception(ConnectionError(f"Expected an upgrade, got {head!r:.80}"))

    def _take(self, data: bytes) -> int:
        """Take every whole message; return their total size in bytes."""
        at, end = 0, len(data)
        while end - at >= 2:
            size, start = data[at + 1], at + 2
            if size == 126:
                if end - at < 4:
                    break
                size, start = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
            if end < start + size:
                break
            self._receive(data[at] & 0x0F, data[start : start + size])
            at = start + size
        return at

    def _receive(self, opcode: int, payload: bytes) -> None:
        if opcode in (TEXT, BINARY):
            self._on_message(opcode, payload)
        elif opcode == PING:
            self.send(PONG, payload)
        elif opcode == CLOSE and self._transport is not None:
            self.send(CLOSE, payload)
            self._transport.close()
            self.closed = True
