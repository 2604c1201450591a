"""Fits the gateway to uvicorn: the only file that uses names which uvicorn does not document.

A call receives 12 messages a second and sends 50. Through ASGI each of them costs a dictionary, a
queue or two and some coroutines, and each received one stops and restarts the reading. So the
WebSocket protocol below hands messages straight from the bytes to a handler, and sends what is due
together in one write. The library still does all else: handshake, pings, fragments, closes, faults.

`tests/unit/gateway/socket/test_uvicorn_contract.py` says which names this needs. A new version of
uvicorn or websockets must pass it before the upper bounds in pyproject.toml are raised.
"""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, ClassVar, Final, cast

import uvicorn
from starlette.websockets import WebSocket, WebSocketDisconnect
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.speedups import apply_mask

from gateway.edge.root_path import RootPath
from gateway.protocol.errors import (
    ABNORMAL_CLOSE_CODE,
    INVALID_TEXT_CLOSE_CODE,
    TOO_LARGE_CLOSE_CODE,
    CallError,
    ErrorCode,
)
from gateway.protocol.server_messages import Error
from gateway.socket.request_deadlines import RequestDeadlines
from gateway.socket.ws_frames import BINARY, MASK_BYTES, PIECE_AT, TEXT, FrameCutter, packed
from gateway.token_bucket import TokenBucket

EXTENSION: Final = "antiphon.connection"  # its name in the ASGI scope
# The most that one message may have in fragments, or before the session is ready: 13.6 s of audio.
# Any other binary message may be larger, since it is taken in pieces. A dialect may take more.
WS_READ_BYTES: Final = 640 * 1024
# Their sum bounds how long a dead connection goes unnoticed; we promise 10 s.
WS_PING_EVERY_S: Final = 3.0
WS_PING_TIMEOUT_S: Final = 6.0
# For the last messages to leave and be answered; a client that does not read them is cut off.
CLOSE_WITHIN_S: Final = 1.0
# Pings, pongs and further fragments that a client may send: at once, and a second. The limits on
# audio and controls do not count them, and each costs as much as a message.
EXTRA_FRAMES: Final = 200
EXTRA_FRAMES_PER_S: Final = 50.0
# A text of 20 MiB takes 0.1 s, and a call has 0.2 s of sound in advance.
LARGE_EVERY_S: Final = 0.2
LARGE_WAIT_S: Final = 3.0  # at the most: meanwhile the client's pongs are not read
_FLOOD: Final = (
    f"Expected at most {EXTRA_FRAMES_PER_S:g} pings, pongs and fragments a second, got more"
)

MessageHandler = Callable[[bytes | str], None]
ErrorText = Callable[[CallError], str]


class HttpConnection(HttpToolsProtocol):
    """A connection before its upgrade: a request comes whole and soon, or the connection ends."""

    deadlines: ClassVar = RequestDeadlines()  # of this process

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect the first request."""
        super().connection_made(transport)
        self.deadlines.start(self)

    def on_message_complete(self) -> None:
        """The request is whole."""
        super().on_message_complete()
        self.deadlines.stop(self)

    def on_response_complete(self) -> None:
        """Expect the next request, unless it has arrived already."""
        super().on_response_complete()
        if self.timeout_keep_alive_task is not None:
            self.deadlines.start(self)

    def handle_websocket_upgrade(self) -> None:
        """Go on as a WebSocket."""
        self.deadlines.stop(self)
        super().handle_websocket_upgrade()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self.deadlines.stop(self)
        super().connection_lost(exc)

    def abort(self) -> None:
        """End the connection now."""
        self.transport.abort()


class LargeTexts:
    """Lets large texts be taken one after the other, with time for other calls between them."""

    def __init__(self) -> None:
        self._next_at = 0.0

    def wait_s(self) -> float:
        """How long the next one must wait; it is taken then."""
        now = time.monotonic()
        at = min(max(now, self._next_at), now + LARGE_WAIT_S)
        self._next_at = at + LARGE_EVERY_S
        return at - now


class WebSocketConnection(WebSocketsSansIOProtocol):
    """One WebSocket, which its ASGI scope holds as the extension EXTENSION.

    Closing a transport waits until its buffer is empty, which a client that stopped reading
    prevents. So this drops what a dead or stuck client does not take.
    """

    _large_texts: ClassVar = LargeTexts()  # of this process
    _handler: MessageHandler | None = None
    _error_text: ErrorText = staticmethod(lambda error: Error.of(error).to_json())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.close_timeout = CLOSE_WITHIN_S
        self._cutter = FrameCutter(self.config.ws_max_size)
        self._deaf = False  # what still comes is dropped
        self._reads_large = False  # more than WS_READ_BYTES of a text may come
        self._holds_large = False  # one has begun, and is not read on
        self._extra_frames = TokenBucket(
            time.monotonic(), capacity=EXTRA_FRAMES, per_s=EXTRA_FRAMES_PER_S
        )

    # For the gateway

    def speak(self, max_bytes: int, error_text: ErrorText) -> None:
        """Take texts of at most so many bytes. `error_text`: how an error looks; "": none.

        More than WS_READ_BYTES of a text is read only after `take_large_texts`.
        """
        self._cutter.max_bytes = max_bytes
        self.conn.max_message_size = min(max_bytes, WS_READ_BYTES)
        self._error_text = error_text

    def take_large_texts(self) -> None:
        """The client has shown that it may send them: read on where one began before."""
        self._reads_large = True
        self.conn.max_message_size = self._cutter.max_bytes
        if self._holds_large:
            self._holds_large = False
            if not self.read_paused:
                self.transport.resume_reading()

    def attach(self, handler: MessageHandler) -> None:
        """Hand each message to the handler as it comes; `receive` then reports only the end."""
        self._handler = handler
        for event in [self.queue.get_nowait() for _ in range(self.queue.qsize())]:
            if event["type"] == "websocket.receive":
                data = event.get("bytes")
                handler(cast(str, event["text"]) if data is None else data)
            else:
                self.queue.put_nowait(event)
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()

    @property
    def open(self) -> bool:
        """Whether messages still reach the client."""
        return not (self.close_sent or self.disconnected or self.transport.is_closing())

    @property
    def ready(self) -> bool:
        """Whether `send_now` may be called: the connection is open and its client keeps up."""
        return self.writable.is_set() and self.open

    def send_now(self, messages: Sequence[bytes | str]) -> None:
        """Send messages in one write."""
        self.transport.write(b"".join([packed(message) for message in messages]))

    async def write(self, messages: Sequence[bytes | str]) -> None:
        """Send messages in one write when the client keeps up. Raises WebSocketDisconnect."""
        await self.writable.wait()
        if not self.open:
            raise WebSocketDisconnect(ABNORMAL_CLOSE_CODE)
        self.send_now(messages)

    def abort(self) -> None:
        """End the connection now, and drop what is not sent yet."""
        self.transport.abort()

    # For uvicorn

    async def run_asgi(self) -> None:
        """Serve the socket with this connection in its scope, then let the rest leave."""
        cast(dict[str, Any], self.scope["extensions"])[EXTENSION] = self
        await super().run_asgi()
        # Else the two would hold each other, and what a call had would stay for long.
        del cast(dict[str, Any], self.scope["extensions"])[EXTENSION]
        self.loop.call_later(CLOSE_WITHIN_S, self.transport.abort)

    async def send(self, message: Any) -> None:
        """Send a message of the application."""
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            # The refusal is sent: without this, uvicorn logs an error for each.
            self.handshake_complete = True

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of what the call had and what came of a message."""
        super().connection_lost(exc)
        self._handler = None
        self._cutter.clear()

    def data_received(self, data: bytes) -> None:
        """Take every frame that is whole."""
        if not self.handshake_initiated:
            return super().data_received(data)
        self._take(self._cutter.feed(data, split=self._handler is not None))
        return None

    def _take(self, frames: Iterator[tuple[bytes, int]]) -> None:
        for frame, payload_at in frames:
            if self._deaf or self.transport.is_closing():
                break
            if len(frame) > WS_READ_BYTES and (wait_s := self._large_texts.wait_s()) > 0:
                self.transport.pause_reading()
                self.loop.call_later(wait_s, self._take_late, frame, payload_at, frames)
                return
            self._take_one(frame, payload_at)
        if self._cutter.held_bytes > WS_READ_BYTES and not self._reads_large:
            self._holds_large = True
            self.transport.pause_reading()  # TCP stops the client

    def _take_late(self, frame: bytes, payload_at: int, more: Iterator[tuple[bytes, int]]) -> None:
        """Take the large text that is next, and what followed it."""
        if not self._deaf and not self.transport.is_closing():
            self.transport.resume_reading()
            self._take_one(frame, payload_at)
            self._take(more)

    def _take_one(self, frame: bytes, payload_at: int) -> None:
        handled = payload_at and self._handle(frame, payload_at)
        if not handled and payload_at != PIECE_AT:
            super().data_received(frame)

    def handle_ping(self) -> None:
        """Answer it, if there are not too many."""
        if self._extra_frame_allowed():
            super().handle_ping()

    def handle_pong(self, event: Frame) -> None:
        """Note that the client is alive, if it does not send too many."""
        if self._extra_frame_allowed():
            super().handle_pong(event)

    def handle_cont(self, event: Frame) -> None:
        """Keep a further fragment of a message; no limit of size would stop empty ones."""
        if self._extra_frame_allowed():
            super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        """A message of several fragments is whole, in `frames`."""
        data = self.frames[0] if len(self.frames) == 1 else b"".join(self.frames)
        if not self._hand_on(bytes(data), is_text=self.curr_msg_data_type == "text"):
            super().send_receive_event_to_app()

    def handle_parser_exception(self) -> None:
        """The client broke the WebSocket protocol, and the library has a close frame ready.

        An error event says why before it leaves. The connection stays open for a moment. The kernel
        would reset a connection that is closed with unread bytes, and the client might read
        neither.
        """
        if self._deaf or self.conn.close_sent is None:
            return
        self._deaf = self.conn.parser_exc is not None
        if self.close_sent:
            return
        code, reason = self.conn.close_sent.code, self.conn.close_sent.reason
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        text = self._error_text(self._violation(code, reason))
        error = packed(text) if text else b""
        self.transport.write(b"".join([error, *self.conn.data_to_send()]))
        self.close_sent = True
        self.close_timer = self.loop.call_later(CLOSE_WITHIN_S, self.transport.close)

    def keepalive_timeout(self) -> None:
        """The client did not answer a ping."""
        super().keepalive_timeout()
        self.transport.abort()

    def _handle(self, frame: bytes, payload_at: int) -> bool:
        """Hand a frame on if it is a whole message; False if the library must take it."""
        first = frame[0]
        if self._handler is None or first not in (BINARY, TEXT):
            return False
        mask = frame[payload_at - MASK_BYTES : payload_at]
        payload = memoryview(frame)[payload_at:]
        return self._hand_on(apply_mask(payload, mask), is_text=first == TEXT)

    def _hand_on(self, data: bytes, *, is_text: bool) -> bool:
        """Give a message to the handler; False if there is none, or the text is no UTF-8."""
        if self._handler is None or self.close_sent:
            return False
        if not is_text:
            self._handler(data)
            return True
        try:
            text = data.decode()
        except UnicodeDecodeError:
            return False  # the library closes with 1007
        self._handler(text)
        return True

    def _extra_frame_allowed(self) -> bool:
        """Count a frame that is no message; ends the connection when there are too many."""
        if self._deaf:
            return False
        allowed = self._extra_frames.spend(1, time.monotonic())
        if not allowed:
            self.conn.data_to_send()  # the pongs that wait
            self.conn.fail(ErrorCode.TOO_FAST.close_code, _FLOOD)
            self.handle_parser_exception()
            self._deaf = True
        return allowed

    def _violation(self, close_code: int, reason: str) -> CallError:
        """What the error event says before a close of the WebSocket library."""
        if close_code == TOO_LARGE_CLOSE_CODE:
            return CallError(
                ErrorCode.TOO_LARGE,
                f"Expected at most {self.conn.max_message_size} bytes in a text, in fragments or "
                f"before the session is ready, got: {reason}",
            )
        if close_code == ErrorCode.TOO_FAST.close_code:
            return CallError(ErrorCode.TOO_FAST, reason)
        if close_code == INVALID_TEXT_CLOSE_CODE:
            return CallError(ErrorCode.BAD_MESSAGE, "Expected text in UTF-8, got other bytes")
        return CallError(ErrorCode.BAD_MESSAGE, f"Expected WebSocket frames, got: {reason}")


Hook = Callable[[], Awaitable[None]]


class GracefulServer(uvicorn.Server):
    """uvicorn's server, which awaits `before_start`, and `before_close` after its last accept."""

    def __init__(self, config: uvicorn.Config, before_start: Hook, before_close: Hook) -> None:
        super().__init__(config)
        self._before_start = before_start
        self._before_close = before_close

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Await `before_start`, then serve. What that raises reaches the caller, without a log."""
        await self._before_start()
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept nothing more, let the gateway send its callers away, then close."""
        for server in self.servers:
            server.close()  # else a caller could resume on this gateway again
        await self._before_close()
        for connection in list(self.server_state.connections):
            if isinstance(connection, WebSocketConnection):
                connection.abort()  # it did not answer the close
        await super().shutdown(sockets)


def server_config(app: Any, trusted_proxies: Sequence[str], root_path: str = "") -> uvicorn.Config:
    """How uvicorn serves the gateway."""
    proxied: Any = ProxyHeadersMiddleware(app, list(trusted_proxies)) if trusted_proxies else app
    return uvicorn.Config(
        RootPath(proxied, root_path, trusted_proxies),
        loop="uvloop",
        http=HttpConnection,
        ws=WebSocketConnection,
        ws_max_size=WS_READ_BYTES,
        ws_per_message_deflate=False,
        ws_ping_interval=WS_PING_EVERY_S,
        ws_ping_timeout=WS_PING_TIMEOUT_S,
        # By default uvicorn trusts X-Forwarded-For from 127.0.0.1, and it hides the proxy's address
        # before the root path is found.
        proxy_headers=False,
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=1,
        log_level="warning",  # at INFO it logs the URL of every WebSocket, query included
    )


def connection_of(websocket: WebSocket) -> WebSocketConnection:
    """The connection under an ASGI WebSocket that this gateway's server serves."""
    return cast(WebSocketConnection, websocket.scope["extensions"][EXTENSION])
