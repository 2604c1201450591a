"""The listening socket: buffers that stay small, peers that are found dead, enough descriptors."""

import resource
import socket
from typing import Final

from shared.errors import ConfigError

# With the kernel's defaults a client that stopped reading absorbed 30 s of audio before a send
# blocked; with these a send blocks after less than a second.
SEND_BUFFER_BYTES: Final = 16 * 1024
UNSENT_BYTES: Final = 16 * 1024
UNACKNOWLEDGED_MS: Final = 6_000
BACKLOG: Final = 1_024  # connections that wait to be accepted


def listen(host: str, port: int) -> socket.socket:
    """A listening socket whose connections buffer little. Raises ConfigError when it is taken."""
    try:
        listener = socket.create_server((host, port), backlog=BACKLOG)
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
        if option := getattr(socket, name, None):  # not every system has all of them
            listener.setsockopt(socket.IPPROTO_TCP, option, value)
    return listener


def raise_descriptor_limit() -> None:
    """Allow as many open sockets as the system permits: the default of 1,024 is soon reached."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
