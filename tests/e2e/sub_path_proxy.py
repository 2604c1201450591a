"""A reverse proxy on this machine that offers a gateway below /antiphon and nothing else."""

import asyncio
from http import HTTPStatus
from typing import Final

from tests.e2e.loop_thread import LoopThread

PREFIX: Final = "/antiphon"
_HEAD_END: Final = b"\r\n\r\n"


class SubPathProxy(LoopThread):
    """`strips`: takes the prefix away; `tells`: sends it as X-Forwarded-Prefix.

    Each connection carries one request, so that only its first line has to be changed.
    """

    def __init__(self, target: int, *, strips: bool, tells: bool) -> None:
        super().__init__()
        self._target = target
        self._strips = strips
        self._tells = tells
        self.outside: list[str] = []  # paths that were asked for and are not below the prefix
        self._serving: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """The gateway's address as its callers see it."""
        return f"http://127.0.0.1:{self.port}{PREFIX}"

    async def _open(self) -> int:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _stop(self) -> None:
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            await self._serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # one side has left
        finally:
            self._serving.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(_HEAD_END)).decode("latin-1")
        path = head.split(" ", 2)[1]
        if not (path == PREFIX or path.startswith((f"{PREFIX}/", f"{PREFIX}?"))):
            self.outside.append(path)
            status = HTTPStatus.NOT_FOUND
            writer.write(f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode())
            writer.write(b"Content-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            return
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            up_writer.write(self._changed(head, path).encode("latin-1"))
            await asyncio.gather(_pipe(reader, up_writer), _pipe(up_reader, writer))
        finally:
            up_writer.close()

    def _changed(self, head: str, path: str) -> str:
        """The request's head as the gateway gets it."""
        if self._strips:
            head = head.replace(f" {path} ", f" {path.removeprefix(PREFIX) or '/'} ", 1)
        added = f"X-Forwarded-Prefix: {PREFIX}\r\n" if self._tells else ""
        if "upgrade: websocket" not in head.lower():
            lines = head.split("\r\n")
            kept = [line for line in lines if not line.lower().startswith("connection:")]
            head = "\r\n".join(kept)
            added += "Connection: close\r\n"
        return head.removesuffix("\r\n") + added + "\r\n"


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()
