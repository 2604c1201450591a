"""A TCP proxy that impairs traffic: lost replies, resets in mid-message, single bytes, delay."""

import asyncio
import random
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

PIECE_BYTES: Final = 64 * 1024
SINGLE_BYTES: Final = 32  # the first bytes of each piece, sent one by one: they cut every header
HELD_PIECES: Final = 1_024  # of a delayed connection; then its sender waits


@dataclass
class Impairments:
    """What the proxy does to the traffic from now on."""

    replies_to_drop: int = 0  # replies to scripts: the write happened, its reply never arrives
    replies_to_cut: int = 0  # replies that end half way, with a reset
    byte_by_byte: bool = False  # send the first bytes of every piece one by one


class Proxy:
    """Runs in a thread of its own: it must pass bytes on while tests start and stop event loops.

    `delay_s`: delay each piece by a random time between these two, in order, both ways.
    """

    def __init__(
        self, port: int, upstream_port: int, delay_s: tuple[float, float] | None = None
    ) -> None:
        self.port = port
        self.upstream_port = upstream_port
        self.impairments = Impairments()
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
        """Stop and close every connection."""
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
        ran_script = asyncio.Event()  # the last request did
        pumps = [
            asyncio.create_task(self._forward(reader, upstream[1], ran_script)),
            asyncio.create_task(self._reply(upstream[0], writer, ran_script)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            upstream[1].transport.abort()
            writer.transport.abort()

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ran_script: asyncio.Event
    ) -> None:
        with suppress(OSError):
            async for data in self._pieces(reader):
                if b"EVALSHA" in data:
                    ran_script.set()
                await self._pass(writer, data)

    async def _reply(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ran_script: asyncio.Event
    ) -> None:
        with suppress(OSError):
            async for data in self._pieces(reader):
                if ran_script.is_set() and self.impairments.replies_to_drop > 0:
                    self.impairments.replies_to_drop -= 1
                    self.dropped += 1
                    return
                if self.impairments.replies_to_cut > 0:
                    self.impairments.replies_to_cut -= 1
                    self.cut += 1
                    await self._pass(writer, data[: len(data) // 2])
                    return
                ran_script.clear()
                await self._pass(writer, data)

    async def _pass(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        if self.impairments.byte_by_byte:
            for at in range(min(SINGLE_BYTES, len(data))):
                writer.write(data[at : at + 1])
                await asyncio.sleep(0)
            data = data[SINGLE_BYTES:]
        writer.write(data)
        await writer.drain()

    def _pieces(self, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
        """Each piece that was read, once its delay is over."""
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
