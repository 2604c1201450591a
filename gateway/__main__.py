"""`python -m gateway`: the gateway process."""

import logging
import socket
import sys

import uvicorn

from gateway.app import Gateway
from gateway.socket.server import SocketProtocol, configuration, listen, raise_descriptor_limit
from shared.errors import ConfigError
from shared.process import tame_collector
from shared.settings import load_settings

logger = logging.getLogger("gateway")


class Server(uvicorn.Server):
    """uvicorn, but callers are told before their sockets close."""

    def __init__(self, config: uvicorn.Config, gateway: Gateway) -> None:
        super().__init__(config)
        self.gateway = gateway

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let nobody in, say goodbye, then close."""
        self.gateway.stats.stop()  # a stream that nobody ends would be waited for
        for server in self.servers:
            server.close()  # who is sent away must not come back here
        await self.gateway.endpoint.shut_down()
        for connection in list(self.server_state.connections):
            if isinstance(connection, SocketProtocol):
                connection.transport.abort()  # it was told, and takes no word of it
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
    raise_descriptor_limit()
    gateway = Gateway(settings)
    tame_collector()
    host, port = listener.getsockname()[:2]
    logger.info("page at http://%s:%d/web", host, port)
    Server(configuration(gateway.app(), settings), gateway).run(sockets=[listener])


if __name__ == "__main__":
    main()
