"""A TCP proxy before Redis that can lose a reply: the write is done, and its writer never knows."""

import asyncio
import threading
from contextlib import suppress
from typing import Final

PIECE_BYTES: Final = 64 * 1024


class Proxy:
    """Runs in a thread of its own: it must pass bytes on while tests start and stop loops."""

    def __init__(self, port: int, upstream_port: int) -> None:
        self.port = port
        self.upstream_port = upstream_port
        self.to_drop = 0  # answers to scripts that are still to be lost
        self.dropped = 0
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
            while data := await reader.read(PIECE_BYTES):
                if b"EVALSHA" in data:
                    wrote.set()
                writer.write(data)
                await writer.drain()

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, wrote: asyncio.Event
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(PIECE_BYTES):
                if wrote.is_set() and self.to_drop > 0:
                    self.to_drop -= 1
                    self.dropped += 1
                    return
                wrote.clear()
                writer.write(data)
                await writer.drain()
