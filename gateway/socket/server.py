"""The listening socket, and what a connection may keep waiting: uvicorn's protocols with deadlines.

Nothing here is needed of a proxy in front, but one that buffers whole requests is the better place.
"""

import asyncio
import resource
import socket
from typing import Any, ClassVar, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.protocol.frames import MAX_AUDIO_BYTES
from gateway.socket.transport import Wire
from shared.errors import ConfigError
from shared.settings import Settings

# Larger messages than the protocol allows are still read whole, so that a typed error can answer;
# beyond this the socket is closed with 1009.
WS_READ_BYTES: Final = 4 * MAX_AUDIO_BYTES
# A connection that died without a word is found within their sum: under the 10 s that we promise.
WS_PING_EVERY_S: Final = 3.0
WS_PING_TIMEOUT_S: Final = 6.0
# With the kernel's defaults a client that stopped reading absorbed 30 s of audio before a send
# blocked; with these it takes under a second.
SEND_BUFFER_BYTES: Final = 16 * 1024
UNSENT_BYTES: Final = 16 * 1024
UNACKNOWLEDGED_MS: Final = 6_000
# From the connection, or the last answer on it, to the next whole request. No request has a body.
REQUEST_WITHIN_S: Final = 5.0
# Connections that may owe a request; an honest one owes it for milliseconds, so the oldest goes.
MAX_UNREAD: Final = 1_024
# For the last words to leave and be answered; a reader that takes none of them is cut off.
CLOSE_WITHIN_S: Final = 1.0


class HttpProtocol(HttpToolsProtocol):
    """A connection before its upgrade: a request comes whole and soon, or the connection ends."""

    _unread: ClassVar[dict["HttpProtocol", asyncio.TimerHandle]] = {}  # of this process, by age

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The first request is owed."""
        super().connection_made(transport)
        self._expect_request()

    def on_message_complete(self) -> None:
        """The request is whole."""
        super().on_message_complete()
        self._settle()

    def on_response_complete(self) -> None:
        """The next request is owed, unless it is here already."""
        super().on_response_complete()
        if self.timeout_keep_alive_task is not None:
            self._expect_request()

    def handle_websocket_upgrade(self) -> None:
        """From here on the connection is a WebSocket's."""
        self._settle()
        super().handle_websocket_upgrade()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is owed any more."""
        self._settle()
        super().connection_lost(exc)

    def _expect_request(self) -> None:
        self._settle()
        if len(self._unread) >= MAX_UNREAD:
            next(iter(self._unread))._give_up()
        self._unread[self] = self.loop.call_later(REQUEST_WITHIN_S, self._give_up)

    def _settle(self) -> None:
        if timer := self._unread.pop(self, None):
            timer.cancel()

    def _give_up(self) -> None:
        self._settle()
        self.transport.abort()


class SocketProtocol(Wire):
    """A WebSocket that is over when it is over: what a dead or stuck peer does not take is dropped.

    Closing a transport waits until its buffer is empty, which a peer that stopped reading prevents.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.close_timeout = CLOSE_WITHIN_S

    def keepalive_timeout(self) -> None:
        """A ping was not answered."""
        super().keepalive_timeout()
        self.transport.abort()

    async def run_asgi(self) -> None:
        """Serve the socket; then the rest has its time to leave, and no more."""
        await super().run_asgi()
        self.loop.call_later(CLOSE_WITHIN_S, self.transport.abort)


def configuration(app: Any, settings: Settings) -> uvicorn.Config:
    """How uvicorn serves the gateway."""
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=HttpProtocol,
        ws=SocketProtocol,
        ws_max_size=WS_READ_BYTES,
        ws_per_message_deflate=False,
        ws_ping_interval=WS_PING_EVERY_S,
        ws_ping_timeout=WS_PING_TIMEOUT_S,
        # uvicorn believes X-Forwarded-For from 127.0.0.1 unless told otherwise.
        proxy_headers=bool(settings.gateway_trusted_proxies),
        forwarded_allow_ips=list(settings.gateway_trusted_proxies),
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=1,
        log_level="warning",  # at INFO it writes the URL of every WebSocket, query included
    )


def listen(host: str, port: int) -> socket.socket:
    """A listening socket whose connections buffer little. Raises ConfigError when it is taken."""
    try:
        listener = socket.create_server((host, port), backlog=1_024)
    except OSError as error:
        raise ConfigError(
            f"Expected to listen on {host}:{port}, got: {error.strerror}; "
            "set GATEWAY_HOST and GATEWAY_PORT to an address that is free"
        ) from error
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    for name, value in (
        ("TCP_NODELAY", 1),
        ("TCP_NOTSENT_LOWAT", UNSENT_BYTES),
        ("TCP_USER_TIMEOUT", UNACKNOWLEDGED_MS),
    ):
        if option := getattr(socket, name, None):  # not every system has each
            listener.setsockopt(socket.IPPROTO_TCP, option, value)
    return listener


def raise_descriptor_limit() -> None:
    """As many open sockets as the system lets us have: its default of 1,024 is soon full."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
