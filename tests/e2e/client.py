"""A client on the real socket that speaks in real time or faster and keeps what it receives."""

import asyncio
import json
import struct
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from shared.audio import CHUNK_MS, Pcm16
from tests.patience import until

HEADER: Final = struct.Struct("<IIHH")  # frame, generation, flags, zero
REPORT_CHUNKS: Final = 3  # chunks between two reports of the playhead
FAST: Final = 1.8  # times real time; the gateway allows 2


class Client:
    """One call with the subprotocol `antiphon.v1`."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.ready: dict[str, Any] = {}
        self.events: list[dict[str, Any]] = []
        self.frames: list[tuple[int, int, bytes]] = []  # number, generation, pcm
        self._reader: asyncio.Task[None] | None = None

    async def start(self, mode: str, **options: object) -> None:
        """Begin the call."""
        await self.send(type="start", mode=mode, options=options)
        self.ready = json.loads(await self.socket.recv())
        assert self.ready["type"] == "ready", self.ready
        self._reader = asyncio.create_task(self._read())

    async def send(self, **message: object) -> None:
        """Send a control message."""
        await self.socket.send(json.dumps(message))

    async def speak(self, chunks: Sequence[Pcm16], speed: float = 1.0) -> None:
        """Send chunks at `speed` times real time, by absolute deadlines; report the playhead."""
        start = time.monotonic()
        for index, chunk in enumerate(chunks, 1):
            await self.socket.send(chunk.tobytes())
            if index % REPORT_CHUNKS == 0 and self.frames:
                await self.send(type="played", frame=self.frames[-1][0])
            await asyncio.sleep(start + index * CHUNK_MS / 1_000 / speed - time.monotonic())

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for frames or events."""
        await until(condition, lambda: f"{len(self.frames)} frames, events {self.events}")

    def got(self, kind: str) -> list[dict[str, Any]]:
        """The events of one type."""
        return [event for event in self.events if event["type"] == kind]

    @property
    def numbers(self) -> list[int]:
        """The frames' numbers in the order of arrival."""
        return [number for number, _, _ in self.frames]

    @property
    def pcm(self) -> bytes:
        """The audio of all frames in the order of arrival."""
        return b"".join(pcm for _, _, pcm in self.frames)

    async def hang_up(self) -> None:
        """End the call and wait until the server closes the socket."""
        await self.send(type="end")
        if self._reader is not None:
            await self._reader

    async def _read(self) -> None:
        try:
            async for message in self.socket:
                self._take(message)
        except ConnectionClosed as closed:
            self.events.append({"type": "closed", "code": closed.rcvd and closed.rcvd.code})

    def _take(self, message: str | bytes) -> None:
        if isinstance(message, str):
            self.events.append(json.loads(message))
            return
        number, generation, _, _ = HEADER.unpack_from(message)
        self.frames.append((number, generation, message[HEADER.size :]))


@asynccontextmanager
async def calling(url: str, mode: str) -> AsyncIterator[Client]:
    """A call that hangs up at the end."""
    protocols = [Subprotocol("antiphon.v1")]
    async with connect(url, subprotocols=protocols, compression=None) as socket:
        client = Client(socket)
        await client.start(mode)
        yield client
        await client.hang_up()
