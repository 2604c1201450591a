"""A small gateway that sends what a test asks it to send: the page's counterpart.

It serves gateway/web under the gateway's content policy and speaks `antiphon.v1` on /ws/stream. It
runs in its own thread, so that a test can drive browser and server alternately.
"""

import asyncio
import json
import mimetypes
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from itertools import cycle
from pathlib import Path
from typing import Any, Final

from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from gateway.app import HEADERS
from gateway.protocol.errors import ErrorCode
from shared.audio import FRAME_BYTES
from tests.e2e.loop_thread import LoopThread
from tests.patience import PATIENCE_S, until, wait_until

FRAME_S: Final = 0.02
WEB: Final = Path(__file__).parents[2] / "gateway" / "web"
Event = dict[str, Any]
CONFIG: Final[Event] = {"vad_threshold": 0.002, "silence_ms": 700, "mode": "turn"}
Wrapped = dict[str, tuple[str, str]]  # a file of the page: code served before and after it


def _answer(path: str, config: Event, wrapped: Wrapped) -> Response:
    if path == "/api/config":
        return Response(HTTPStatus.OK, "OK", Headers(), json.dumps(config).encode())
    name = path.split("?")[0].removeprefix("/web").strip("/") or "index.html"
    file = WEB / name
    if not file.is_file():
        return Response(HTTPStatus.NOT_FOUND, "Not Found", Headers(), b"")
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    headers = Headers({**HEADERS, "Content-Type": kind})
    before, after = wrapped.get(name, ("", ""))
    body = before.encode() + file.read_bytes() + after.encode()
    return Response(HTTPStatus.OK, "OK", headers, body)


class FakeGateway(LoopThread):
    """Serves one caller at a time. `echo` returns the caller's audio; `refusal` refuses calls."""

    def __init__(self, *, echo: bool = False, refusal: Event | None = None) -> None:
        super().__init__()
        self.echo = echo
        self.refusal = refusal
        self.unresponsive = False  # takes messages, and answers none
        self.wrapped: Wrapped = {}
        self.messages: list[Event] = []  # the page's messages
        self.audio = bytearray()
        self.close_codes: list[int] = []
        self.config = dict(CONFIG)
        self.ready: Event = {"outcome": "new", "mode": "turn", "next_sample": 0, "next_frame": 1}
        self._frame = 1
        self._speaking = False
        self._connection: ServerConnection | None = None

    @property
    def url(self) -> str:
        """The page's address."""
        return f"http://127.0.0.1:{self.port}/web/"

    @property
    def next_frame(self) -> int:
        """The number of the frame that is sent next."""
        return self._frame

    def send(self, kind: str, **fields: object) -> None:
        """Send one event."""
        self._run(self._send(json.dumps({"type": kind, **fields})))

    def speak(self, pcm: bytes, generation: int, *, last: bool = False) -> None:
        """Send frames at once. pcm: whole frames of 960 bytes."""
        self._run(self._speak(pcm, generation, last=last))

    @contextmanager
    def speaking(self, pcm: bytes, generation: int) -> Iterator[None]:
        """Send these frames in a loop at the pace of a reply, until the block ends."""
        self._speaking = True
        done = asyncio.run_coroutine_threadsafe(self._speak_on(pcm, generation), self._loop)
        try:
            yield
        finally:
            self._speaking = False
            done.result(PATIENCE_S)

    def of_type(self, kind: str) -> list[Event]:
        """The page's messages of this type so far."""
        return [event for event in self.messages if event["type"] == kind]

    def await_message(self, kind: str, count: int = 1) -> Event:
        """The last message of this type, once the page has sent `count` of them."""
        wait_until(lambda: len(self.of_type(kind)) >= count, lambda: self.messages)
        return self.of_type(kind)[-1]

    def await_played(self, frame: int) -> None:
        """Wait until the page reports that it has played this frame."""
        wait_until(
            lambda: any(event["frame"] >= frame for event in self.of_type("played")),
            lambda: self.of_type("played"),
        )

    def await_audio(self, size: int) -> None:
        """Wait until the page has sent so many bytes of audio in all."""
        wait_until(lambda: len(self.audio) >= size, lambda: f"{len(self.audio)} bytes")

    def await_closed(self) -> list[int]:
        """The close codes of all connections so far, once there is one."""
        wait_until(lambda: self.close_codes)
        return self.close_codes

    def close(self, code: int) -> None:
        """Close the connection with a close frame."""
        connection = self._connection
        assert connection is not None
        self._run(connection.close(code))

    def drop(self) -> None:
        """Cut the connection without a close frame."""
        connection = self._connection
        assert connection is not None
        self._loop.call_soon_threadsafe(connection.transport.abort)

    async def _open(self) -> int:
        self._server = await serve(
            self._converse,
            "127.0.0.1",
            0,
            subprotocols=[Subprotocol("antiphon.v1")],
            process_request=lambda _, request: self._route(request),
        )
        port: int = next(iter(self._server.sockets)).getsockname()[1]
        return port

    async def _stop(self) -> None:
        for connection in self._server.connections:
            connection.transport.abort()  # a page that closes answers no closing handshake
        self._server.close()
        await self._server.wait_closed()

    def _route(self, request: Request) -> Response | None:
        if request.path.startswith("/ws/stream"):
            return None
        return _answer(request.path, self.config, self.wrapped)

    async def _converse(self, connection: ServerConnection) -> None:
        try:
            await self._listen(connection)
        except ConnectionClosed as closed:
            self.close_codes.append(closed.rcvd.code if closed.rcvd else 1006)

    async def _listen(self, connection: ServerConnection) -> None:
        self.messages.append(json.loads(await connection.recv()))
        self._connection = connection
        if self.refusal is not None:
            await self._send(json.dumps({"type": "error", **self.refusal}))
            await connection.close(ErrorCode(self.refusal["code"]).close_code)
            return
        await until(lambda: not self.unresponsive)
        who = {"session": "s" * 32, "token": "t" * 22, "sample_rate": 24_000, "frame_samples": 480}
        await self._send(json.dumps({"type": "ready", **who, **self.ready}))
        while True:
            await self._take(await connection.recv())

    async def _take(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self.audio += message
            await self._answer("ack", samples=len(self.audio) // 2)
            if self.echo:
                await self._speak(message, generation=1, last=False)
            return
        event = json.loads(message)
        self.messages.append(event)
        if event["type"] == "ping":
            await self._answer("pong", t=event["t"])

    async def _answer(self, kind: str, **fields: object) -> None:
        if self.unresponsive:
            return
        # A page that hung up takes no answer, but its last messages may still wait to be read.
        with suppress(ConnectionClosed):
            await self._send(json.dumps({"type": kind, **fields}))

    async def _speak(self, pcm: bytes, generation: int, *, last: bool) -> None:
        for start in range(0, len(pcm), FRAME_BYTES):
            end = start + FRAME_BYTES
            flags = 2 if last and end >= len(pcm) else 0
            header = struct.pack("<IIHH", self._frame, generation, flags, 0)
            self._frame += 1
            await self._send(header + pcm[start:end])

    async def _speak_on(self, pcm: bytes, generation: int) -> None:
        due = self._loop.time()
        for start in cycle(range(0, len(pcm), FRAME_BYTES)):
            if not self._speaking:
                return
            await self._speak(pcm[start : start + FRAME_BYTES], generation, last=False)
            due += FRAME_S
            await asyncio.sleep(due - self._loop.time())

    async def _send(self, message: str | bytes) -> None:
        assert self._connection is not None
        await self._connection.send(message)
