"""An echo of WebSocket messages and nothing else: what any Python server pays at least.

Run in the peers' environment: `python floor_echo.py PORT`. It gives each message back as it came,
so it neither cuts frames of 20 ms nor paces them.
"""

import http
import sys

import uvloop
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response


async def echo(socket: ServerConnection) -> None:
    """One caller."""
    async for message in socket:
        await socket.send(message)


def health(socket: ServerConnection, request: Request) -> Response | None:
    """Answer /health."""
    return socket.respond(http.HTTPStatus.OK, "ok\n") if request.path == "/health" else None


async def main(port: int) -> None:
    """Serve for ever."""
    async with serve(echo, "127.0.0.1", port, compression=None, process_request=health) as server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
