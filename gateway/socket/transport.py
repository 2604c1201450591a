"""The WebSocket under ASGI, without ASGI's price a message: uvicorn's own protocol with two doors.

A call hears 12 messages a second and says 50. Through ASGI each of them is a dictionary, a queue or
two, and some coroutines; received ones also stop and start the reading. Here a served call takes
plain messages straight from the bytes, and what is due together leaves in one write. All else
(handshake, pings, fragments, closes, faults) is the library's, which is given whole frames.
"""

import struct
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

from starlette.websockets import WebSocket, WebSocketDisconnect
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.speedups import apply_mask

from gateway.socket.ws_frames import BINARY, MASK_BYTES, TEXT, extent, irregular
from gateway.token_bucket import TokenBucket

EXTENSION: Final = "antiphon.wire"
_TEXT: Final = 0x81  # whole messages, unmasked: a server's
_BINARY: Final = 0x82
_SHORT: Final = struct.Struct("!BB")
_MEDIUM: Final = struct.Struct("!BBH")
_LONG: Final = struct.Struct("!BBQ")

# Pings and pieces of messages that a client may send: at once, and a second. The limits on audio
# and controls do not see them, and each costs as much as a message.
ASIDES: Final = 200
ASIDES_PER_S: Final = 50.0

Sink = Callable[[bytes | str], None]


class Wire(WebSocketsSansIOProtocol):
    """One WebSocket; in its ASGI scope it is the extension EXTENSION."""

    sink: Sink | None = None
    _ours = True  # the frames are cut here; else the library takes the bytes as they come

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._rest = bytearray()  # of a frame that is not whole
        self._wanted = 0  # bytes that it takes at least
        self._asides = TokenBucket(time.monotonic(), capacity=ASIDES, per_s=ASIDES_PER_S)

    async def run_asgi(self) -> None:
        """Serve, with ourselves in the scope."""
        cast(dict[str, Any], self.scope["extensions"])[EXTENSION] = self
        await super().run_asgi()

    def attach(self, sink: Sink) -> None:
        """From now on each message goes to the sink as it comes; `receive` tells only the end."""
        self.sink = sink
        for event in [self.queue.get_nowait() for _ in range(self.queue.qsize())]:
            if event["type"] == "websocket.receive":
                data = event.get("bytes")
                sink(cast(str, event["text"]) if data is None else data)
            else:
                self.queue.put_nowait(event)
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Bytes came: hand on every whole frame, keep the rest."""
        if not (self._ours and self.handshake_initiated):
            return super().data_received(data)
        if self._rest:
            self._rest += data
            if len(self._rest) < self._wanted:
                return None
            data = bytes(self._rest)
            self._rest.clear()
        at = 0
        while at < len(data) and not self.transport.is_closing():
            start, end = extent(data, at)
            if irregular(data, at) or end - at > self.config.ws_max_size:
                self._ours = False
                return super().data_received(data[at:])
            if end > len(data):
                self._rest += data[at:]
                self._wanted = end - at
                break
            self._take(data, at, start, end)
            at = end
        return None

    def _take(self, data: bytes, at: int, start: int, end: int) -> None:
        """The whole frame from `at` to `end`; its payload begins at `start`."""
        first = data[at]
        if self.sink is None or self.close_sent or (first != BINARY and first != TEXT):
            return super().data_received(data[at:end])
        message = apply_mask(data[start:end], data[start - MASK_BYTES : start])
        if first == BINARY:
            return self.sink(message)
        try:
            text = message.decode()
        except UnicodeDecodeError:
            return super().data_received(data[at:end])  # closes with 1007
        return self.sink(text)

    def handle_ping(self) -> None:
        """Answer it, if there are not too many."""
        if self._bears():
            super().handle_ping()

    def handle_pong(self, event: Frame) -> None:
        """Note that the client lives, if it does not say so too often."""
        if self._bears():
            super().handle_pong(event)

    def handle_cont(self, event: Frame) -> None:
        """Keep a further piece of a message; empty pieces would meet no limit of size."""
        if self._bears():
            super().handle_cont(event)

    def _bears(self) -> bool:
        """Whether one more aside is borne; else the connection is cut, without a word."""
        bears = self._asides.spend(1, time.monotonic())
        if not bears:
            self.transport.abort()
        return bears

    def send_receive_event_to_app(self) -> None:
        """A whole message is in `frames`."""
        if self.sink is None or self.close_sent:
            return super().send_receive_event_to_app()
        data = self.frames[0] if len(self.frames) == 1 else b"".join(self.frames)
        if self.curr_msg_data_type == "bytes":
            return self.sink(bytes(data))
        try:
            text = data.decode()
        except UnicodeDecodeError:
            return super().send_receive_event_to_app()  # closes with 1007
        return self.sink(text)

    async def write(self, messages: Sequence[bytes | str]) -> None:
        """Send messages in one write, when the reader keeps up. Raises WebSocketDisconnect."""
        await self.writable.wait()
        if not self.open:
            raise WebSocketDisconnect(1006)
        self.send_now(messages)

    @property
    def open(self) -> bool:
        """Whether messages still reach the client."""
        return not (self.close_sent or self.disconnected or self.transport.is_closing())

    @property
    def ready(self) -> bool:
        """Whether `send_now` may be called: the connection is open and its reader keeps up."""
        return self.writable.is_set() and self.open

    def send_now(self, messages: Sequence[bytes | str]) -> None:
        """Send messages in one write."""
        self.transport.write(b"".join([_framed(message) for message in messages]))


def wire_of(websocket: WebSocket) -> Wire:
    """The protocol under an ASGI WebSocket that this gateway's server serves."""
    return cast(Wire, websocket.scope["extensions"][EXTENSION])


def _framed(message: bytes | str) -> bytes:
    opcode, payload = (_TEXT, message.encode()) if isinstance(message, str) else (_BINARY, message)
    size = len(payload)
    if size < 126:
        return _SHORT.pack(opcode, size) + payload
    if size < 65_536:
        return _MEDIUM.pack(opcode, 126, size) + payload
    return _LONG.pack(opcode, 127, size) + payload
