"""One call of a load test over a socket; what it hears is for a subclass."""

import asyncio
import json
import time
from typing import Any, Final
from urllib.parse import urlsplit

from tests.load.websocket_client import BINARY, CLOSE, TEXT, Connection

SUBPROTOCOL: Final = "antiphon.v1"
NORMAL_CLOSURE: Final = (1000).to_bytes(2, "big")
HEADER_BYTES: Final = 12  # of a frame in antiphon.v1
PLAYED_EVERY: Final = 3  # chunks between two reports of the playhead


class Call:
    """`native`: speaks antiphon.v1; else raw audio. `mode`: what `start` asks for."""

    def __init__(self, url: str, *, native: bool, mode: str) -> None:
        parts = urlsplit(url)
        self.host, self.port = parts.hostname or "", parts.port or 80
        self.path = parts.path + (f"?{parts.query}" if parts.query else "")
        self.native = native
        self.connection: Connection | None = None
        self._mode = mode
        self._ready: asyncio.Future[bool] | None = None

    async def open(self) -> bool:
        """Connect and begin the call; whether the server took it. Raises OSError."""
        loop = asyncio.get_running_loop()
        self._ready = loop.create_future()
        subprotocol = SUBPROTOCOL if self.native else ""
        _, self.connection = await loop.create_connection(
            lambda: Connection(self.path, subprotocol, self._take), self.host, self.port
        )
        await self.connection.opened
        if not self.native:
            return True
        self.send(type="start", mode=self._mode)
        return await self._ready

    def hang_up(self) -> None:
        """End the call."""
        if self.native:
            self.send(type="end")
        elif self.connection is not None:
            self.connection.send(CLOSE, NORMAL_CLOSURE)

    def send(self, **message: object) -> None:
        """Send a JSON message, if there is a connection."""
        if self.connection is not None:
            self.connection.send(TEXT, json.dumps(message).encode())

    def send_audio(self, chunk: bytes) -> None:
        """Send audio, if there is a connection."""
        if self.connection is not None:
            self.connection.send(BINARY, chunk)

    def take_event(self, event: dict[str, Any], now: float) -> None:
        """Take a JSON message of the server."""

    def take_audio(self, frame: int | None, generation: int, pcm: bytes, now: float) -> None:
        """Take audio; without antiphon.v1 it has neither frame nor generation."""
        raise NotImplementedError

    def _take(self, opcode: int, payload: bytes) -> None:
        now = time.monotonic()
        if opcode == TEXT:
            event = json.loads(payload)
            if self._ready is not None and not self._ready.done():
                self._ready.set_result(event["type"] == "ready")
            self.take_event(event, now)
        elif self.native:
            number, generation = (int.from_bytes(payload[at : at + 4], "little") for at in (0, 4))
            self.take_audio(number, generation, payload[HEADER_BYTES:], now)
        else:
            self.take_audio(None, 0, payload, now)
