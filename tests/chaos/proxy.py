"""A TCP proxy with weather: replies lost after the write, resets in mid-message, crumbs, delay."""

import asyncio
import random
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

PIECE_BYTES: Final = 64 * 1024
CRUMBS: Final = 32  # bytes of every piece that go one by one: each header is cut everywhere
HELD_PIECES: Final = 1_024  # of a connection whose pieces are delayed; then its sender waits


@dataclass
class Weather:
    """What the proxy does to what passes now."""

    to_drop: int = 0  # answers to scripts that are still to be lost: written, and nobody knows
    to_cut: int = 0  # answers that end in their middle, with a reset
    crumbs: bool = False  # the first bytes of every piece go one by one


class Proxy:
    """Runs in a thread of its own: it must pass bytes on while tests start and stop loops.

    `delay_s`: each piece is late by a random time between these two, in order, both ways.
    """

    def __init__(
        self, port: int, upstream_port: int, delay_s: tuple[float, float] | None = None
    ) -> None:
        self.port = port
        self.upstream_port = upstream_port
        self.weather = Weather()
        self.dropped = 0
        self.cut = 0
        self._delay_s = delay_s
        self._rng = random.Random(upstream_port)
        self._up = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="proxy")
        self._thread.start()
        self._up.wait()

    def close(self) -> None:
        """Stop, and close every connection."""
        assert self._loop is not None
        assert self._stopping is not None
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    async def _run(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        serving: set[asyncio.Task[None]] = set()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.ensure_future(self._serve(reader, writer))
            serving.add(task)
            task.add_done_callback(serving.discard)

        server = await asyncio.start_server(accept, "127.0.0.1", self.port, backlog=512)
        self._up.set()
        await self._stopping.wait()
        server.close()
        for task in list(serving):
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            upstream = await asyncio.open_connection("127.0.0.1", self.upstream_port)
        except OSError:
            writer.transport.abort()
            return
        wrote = asyncio.Event()  # the last request ran a script
        pumps = [
            asyncio.create_task(self._ask(reader, upstream[1], wrote)),
            asyncio.create_task(self._answer(upstream[0], writer, wrote)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            upstream[1].transport.abort()
            writer.transport.abort()

    async def _ask(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, wrote: asyncio.Event
    ) -> None:
        with suppress(OSError):
            async for data in self._pieces(reader):
                if b"EVALSHA" in data:
                    wrote.set()
                await self._pass(writer, data)

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, wrote: asyncio.Event
    ) -> None:
        with suppress(OSError):
            async for data in self._pieces(reader):
                if wrote.is_set() and self.weather.to_drop > 0:
                    self.weather.to_drop -= 1
                    self.dropped += 1
                    return
                if self.weather.to_cut > 0:
                    self.weather.to_cut -= 1
                    self.cut += 1
                    await self._pass(writer, data[: len(data) // 2])
                    return
                wrote.clear()
                await self._pass(writer, data)

    async def _pass(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        if self.weather.crumbs:
            for at in range(min(CRUMBS, len(data))):
                writer.write(data[at : at + 1])
                await asyncio.sleep(0)
            data = data[CRUMBS:]
        writer.write(data)
        await writer.drain()

    def _pieces(self, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
        """What is read, when it is to go on."""
        return _at_once(reader) if self._delay_s is None else self._late(reader, *self._delay_s)

    async def _late(
        self, reader: asyncio.StreamReader, least_s: float, most_s: float
    ) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        held: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(HELD_PIECES)

        async def hold() -> None:
            async for data in _at_once(reader):
                await held.put((loop.time() + self._rng.uniform(least_s, most_s), data))
            await held.put((0, b""))

        holding = asyncio.create_task(hold())
        try:
            while (piece := await held.get())[1]:
                await asyncio.sleep(max(0.0, piece[0] - loop.time()))
                yield piece[1]
        finally:
            holding.cancel()


async def _at_once(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    with suppress(OSError):
        while data := await reader.read(PIECE_BYTES):
            yield data
