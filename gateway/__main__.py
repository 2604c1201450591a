"""`python -m gateway`: the gateway process."""

import logging
import sys

from gateway.app import Gateway
from gateway.socket.listening_sockets import listen, page_address, raise_descriptor_limit
from gateway.socket.uvicorn_adapter import GracefulServer, server_config
from shared import logs, tracing
from shared.errors import ConfigError
from shared.process import tame_collector
from shared.settings import load_settings

logger = logging.getLogger("gateway")


def main() -> None:
    """Read the settings, listen, serve until SIGTERM or SIGINT."""
    try:
        settings = load_settings()
        tracing.switch_on(settings.otlp_endpoint, "antiphon-gateway")
        listeners = listen(settings.gateway_host, settings.gateway_port)
    except ConfigError as error:
        sys.exit(f"antiphon gateway: {error}")
    logs.set_up(settings.log_level, settings.log_format)
    raise_descriptor_limit()
    gateway = Gateway(settings)
    tame_collector()
    logger.info("page at %s", page_address(listeners[0]))
    config = server_config(
        gateway.app(), settings.gateway_trusted_proxies, settings.gateway_root_path
    )
    server = GracefulServer(config, gateway.check_redis, gateway.shut_down)
    try:
        server.run(sockets=listeners)
    except ConfigError as error:
        sys.exit(f"antiphon gateway: {error}")
    tracing.flush()


if __name__ == "__main__":
    main()
