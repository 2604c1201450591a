"""A client of OpenAI's protocols at a gateway, with a key or without."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from gateway.realtime.keys import new_key
from tests.patience import PATIENCE_S
from tests.redis.stage import GatewayServer

KEY: Final = new_key()  # that the fixture `guarded` wants
REALTIME: Final = "/v1/realtime"
LIVE: Final = "/v1/live/sessions"


@contextlib.asynccontextmanager
async def calling(
    server: GatewayServer, path: str = REALTIME, *, key: str = "", query: str = "", **options: Any
) -> AsyncIterator[Any]:
    """A client's socket."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    url = server.http.replace("http", "ws") + path + query
    async with connect(url, additional_headers=headers, compression=None, **options) as socket:
        yield socket


async def event(socket: ClientConnection, kind: str = "") -> dict[str, Any]:
    """The next event, or the next of a type."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found: dict[str, Any] = json.loads(await socket.recv())
            if kind in ("", found["type"]):
                return found


async def refusal(socket: ClientConnection) -> tuple[str, int | None]:
    """The code of the error event, and the close code."""
    found = await event(socket)
    with pytest.raises(ConnectionClosed):
        await asyncio.wait_for(socket.recv(), PATIENCE_S)
    return found["error"]["code"], socket.close_code
