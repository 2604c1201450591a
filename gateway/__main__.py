"""`python -m gateway`: the gateway process."""

import logging
import socket
import sys
from typing import Final

import uvicorn

from gateway.app import Gateway
from gateway.protocol import MAX_AUDIO_BYTES
from shared.config import Settings, load_settings
from shared.errors import ConfigError

logger = logging.getLogger("gateway")

# Larger messages than the protocol allows are still read whole, so that a typed error can answer;
# beyond this the socket is closed with 1009.
WS_READ_BYTES: Final = 4 * MAX_AUDIO_BYTES
WS_PING_EVERY_S: Final = 5.0
WS_PING_TIMEOUT_S: Final = 10.0
# With the kernel's defaults a client that stopped reading absorbed 30 s of audio before a send
# blocked; with these it takes under a second.
SEND_BUFFER_BYTES: Final = 16 * 1024
UNSENT_BYTES: Final = 16 * 1024
UNACKNOWLEDGED_MS: Final = 8_000


class Server(uvicorn.Server):
    """uvicorn, but callers are told before their sockets close."""

    def __init__(self, config: uvicorn.Config, gateway: Gateway) -> None:
        super().__init__(config)
        self.gateway = gateway

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say goodbye, then close."""
        await self.gateway.endpoint.say_goodbye()
        await super().shutdown(sockets)


def main() -> None:
    """Read the settings, listen, serve until SIGTERM or SIGINT."""
    try:
        settings = load_settings()
        listener = listen(settings.gateway_host, settings.gateway_port)
    except ConfigError as error:
        sys.exit(str(error))
    logging.basicConfig(
        level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    gateway = Gateway(settings)
    host, port = listener.getsockname()[:2]
    logger.info("page at http://%s:%d/web", host, port)
    Server(configuration(gateway, settings), gateway).run(sockets=[listener])


def configuration(gateway: Gateway, settings: Settings) -> uvicorn.Config:
    """How uvicorn serves the gateway."""
    return uvicorn.Config(
        gateway.app(),
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        ws_max_size=WS_READ_BYTES,
        ws_per_message_deflate=False,
        ws_ping_interval=WS_PING_EVERY_S,
        ws_ping_timeout=WS_PING_TIMEOUT_S,
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=5,
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


if __name__ == "__main__":
    main()
