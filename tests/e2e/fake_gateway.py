"""A gateway of a few lines that says what a test tells it to: the page's counterpart.

It serves gateway/web under the gateway's content policy and speaks `antiphon.v1` on /ws/stream, in
a thread of its own, so that a test can drive browser and server in turns.
"""

import asyncio
import json
import mimetypes
import struct
import threading
from collections.abc import Coroutine
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from gateway.app import HEADERS
from gateway.protocol.errors import ErrorCode
from shared.audio import FRAME_BYTES
from tests.patience import PATIENCE_S, wait_until

WEB: Final = Path(__file__).parents[2] / "gateway" / "web"
Event = dict[str, Any]
CONFIG: Final[Event] = {"vad_threshold": 0.002, "silence_ms": 700, "mode": "turn"}
Wrapped = dict[str, tuple[str, str]]  # a file of the page: what is served before and after it
_T = TypeVar("_T")


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


class FakeGateway:
    """One caller at a time. `echo` gives the caller's audio back; `refusal` refuses every call."""

    def __init__(self, *, echo: bool = False, refusal: Event | None = None) -> None:
        self.echo = echo
        self.refusal = refusal
        self.deaf = False  # hears, and answers nothing
        self.wrapped: Wrapped = {}
        self.texts: list[Event] = []  # what the page said
        self.audio = bytearray()
        self.close_codes: list[int] = []
        self.config = dict(CONFIG)
        self.ready: Event = {"outcome": "new", "mode": "turn", "next_sample": 0, "next_frame": 1}
        self._frame = 1
        self._connection: ServerConnection | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._run(self._serve())
        self.port: int = next(iter(self._server.sockets)).getsockname()[1]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        try:
            self._run(self._stop())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    @property
    def url(self) -> str:
        """The page's address."""
        return f"http://127.0.0.1:{self.port}/web"

    def say(self, kind: str, **fields: object) -> None:
        """Send one event."""
        self._run(self._send(json.dumps({"type": kind, **fields})))

    def speak(self, pcm: bytes, generation: int, *, last: bool = False) -> None:
        """Send frames at once. pcm: whole frames of 960 bytes."""
        self._run(self._speak(pcm, generation, last=last))

    def await_said(self, kind: str, count: int = 1) -> Event:
        """The last message of this type, once the page has said so many of them."""

        def found() -> list[Event]:
            return [event for event in self.texts if event["type"] == kind]

        wait_until(lambda: len(found()) >= count, lambda: self.texts)
        return found()[-1]

    def close(self, code: int) -> None:
        """Close the connection in order."""
        connection = self._connection
        assert connection is not None
        self._run(connection.close(code))

    def drop(self) -> None:
        """Cut the connection without a word."""
        connection = self._connection
        assert connection is not None
        self._loop.call_soon_threadsafe(connection.transport.abort)

    def _run(self, work: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    async def _serve(self) -> Server:
        return await serve(
            self._converse,
            "127.0.0.1",
            0,
            subprotocols=[Subprotocol("antiphon.v1")],
            process_request=lambda _, request: self._route(request),
        )

    async def _stop(self) -> None:
        for connection in self._server.connections:
            connection.transport.abort()  # a page that is being torn down answers no handshake
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
        self.texts.append(json.loads(await connection.recv()))
        self._connection = connection
        if self.refusal is not None:
            await self._send(json.dumps({"type": "error", **self.refusal}))
            await connection.close(ErrorCode(self.refusal["code"]).close_code)
            return
        who = {"session": "s" * 32, "token": "t" * 22, "sample_rate": 24_000, "frame_samples": 480}
        await self._send(json.dumps({"type": "ready", **who, **self.ready}))
        while True:
            await self._take(await connection.recv())

    async def _take(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self.audio += message
            if self.deaf:
                return
            await self._send(json.dumps({"type": "ack", "samples": len(self.audio) // 2}))
            if self.echo:
                await self._speak(message, generation=1, last=False)
            return
        event = json.loads(message)
        self.texts.append(event)
        if event["type"] == "ping" and not self.deaf:
            await self._send(json.dumps({"type": "pong", "t": event["t"]}))

    async def _speak(self, pcm: bytes, generation: int, *, last: bool) -> None:
        for start in range(0, len(pcm), FRAME_BYTES):
            end = start + FRAME_BYTES
            flags = 2 if last and end >= len(pcm) else 0
            header = struct.pack("<IIHH", self._frame, generation, flags, 0)
            self._frame += 1
            await self._send(header + pcm[start:end])

    async def _send(self, message: str | bytes) -> None:
        assert self._connection is not None
        await self._connection.send(message)
