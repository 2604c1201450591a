"""A caller's client over the real socket: speaks in real time, notes all that comes."""

import asyncio
import json
import struct
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from shared.audio import CHUNK_MS, Pcm16
from tests.patience import until

HEADER: Final = struct.Struct("<IIHH")  # frame, generation, flags, zero


class Client:
    """One call with subprotocol `antiphon.v1`."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.ready: dict[str, Any] = {}
        self.events: list[dict[str, Any]] = []
        self.frames: list[tuple[int, int, bytes]] = []  # number, generation, pcm
        self.arrived: list[float] = []  # monotonic seconds of each frame
        self.noted: dict[str, float] = {}  # monotonic seconds of the last event of a type
        self._reader: asyncio.Task[None] | None = None

    async def start(self, mode: str, **options: object) -> None:
        """Begin the call."""
        await self.send(type="start", mode=mode, options=options)
        self.ready = json.loads(await self.socket.recv())
        assert self.ready["type"] == "ready", self.ready
        self._reader = asyncio.create_task(self._read())

    async def send(self, **message: object) -> None:
        """A control message."""
        await self.socket.send(json.dumps(message))

    async def speak(self, chunks: Sequence[Pcm16]) -> None:
        """In real time, against absolute deadlines; says every 200 ms what it has heard."""
        start = time.monotonic()
        for index, chunk in enumerate(chunks):
            await self.socket.send(chunk.tobytes())
            if index % 3 == 2 and self.frames:
                await self.send(type="played", frame=self.frames[-1][0])
            await asyncio.sleep(start + (index + 1) * CHUNK_MS / 1_000 - time.monotonic())

    async def until(self, what: Callable[[], bool]) -> None:
        """Wait for something to have come."""
        await until(what, lambda: f"{len(self.frames)} frames, events {self.events}")

    def got(self, kind: str) -> list[dict[str, Any]]:
        """The events of one type."""
        return [event for event in self.events if event["type"] == kind]

    @property
    def numbers(self) -> list[int]:
        """The frames' numbers as they came."""
        return [number for number, _, _ in self.frames]

    @property
    def pcm(self) -> bytes:
        """All frames' audio as it came."""
        return b"".join(pcm for _, _, pcm in self.frames)

    async def hang_up(self) -> None:
        """End the call and wait for the server's close."""
        await self.send(type="end")
        if self._reader is not None:
            await self._reader

    async def _read(self) -> None:
        try:
            async for message in self.socket:
                self._note(message)
        except ConnectionClosed as closed:
            self.events.append({"type": "closed", "code": closed.rcvd and closed.rcvd.code})

    def _note(self, message: str | bytes) -> None:
        now = time.monotonic()
        if isinstance(message, str):
            event = json.loads(message)
            self.events.append(event)
            self.noted[event["type"]] = now
            return
        number, generation, _, _ = HEADER.unpack_from(message)
        self.frames.append((number, generation, message[HEADER.size :]))
        self.arrived.append(now)
