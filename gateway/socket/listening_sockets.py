"""The listening sockets: buffers that stay small, peers that are found dead, enough descriptors."""

import errno
import resource
import socket
from typing import Final

from shared.errors import ConfigError

# With the kernel's defaults a client that stopped reading absorbed 30 s of audio before a send
# blocked. With these buffers a send blocks after less than a second.
SEND_BUFFER_BYTES: Final = 16 * 1024
UNSENT_BYTES: Final = 16 * 1024
UNACKNOWLEDGED_MS: Final = 6_000
BACKLOG: Final = 1_024  # connections that wait to be accepted
ANY_IPV4: Final = "0.0.0.0"  # noqa: S104 # the operator asked for every address
REMEDIES: Final = {
    errno.EADDRINUSE: "another process listens there: stop it, or set GATEWAY_PORT to a free port",
    errno.EADDRNOTAVAIL: "no network interface of this machine has that address: set GATEWAY_HOST "
    "to one that it has, or to 0.0.0.0 for all",
    errno.EACCES: "ports below 1024 need privileges: set GATEWAY_PORT to 1024 or more",
    errno.EAFNOSUPPORT: "this machine has no IPv6: set GATEWAY_HOST to an IPv4 address",
}
UNKNOWN_NAME: Final = "the name has no address: set GATEWAY_HOST to an address of this machine"


def listen(host: str, port: int) -> list[socket.socket]:
    """The listening sockets. Their connections buffer little. Raises ConfigError with the cause.

    `::` gives two: with one for both, IPv4 callers would come as ::ffff:10.0.0.1, which no list of
    addresses expects.
    """
    host = host.removeprefix("[").removesuffix("]")
    first = _listen(host, port)
    if host != "::":
        return [first]
    try:
        return [first, _listen(ANY_IPV4, first.getsockname()[1])]
    except ConfigError:
        first.close()
        raise


def page_address(listener: socket.socket) -> str:
    """The page's URL at this listener."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/web"


def _listen(host: str, port: int) -> socket.socket:
    try:
        listener = socket.create_server((host, port), family=_family(host), backlog=BACKLOG)
    except OSError as error:
        named = isinstance(error, socket.gaierror)
        remedy = UNKNOWN_NAME if named else REMEDIES.get(error.errno or 0, error.strerror)
        raise ConfigError(f"Expected to listen on {host}, port {port}; {remedy}") from error
    _limit_buffers(listener)
    return listener


def _family(host: str) -> socket.AddressFamily:
    """IPv4 where a name has both, as `localhost` does. Raises OSError."""
    found = {entry[0] for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    return socket.AF_INET if socket.AF_INET in found else socket.AF_INET6


def _limit_buffers(listener: socket.socket) -> None:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    for name, value in (
        ("TCP_NODELAY", 1),
        ("TCP_NOTSENT_LOWAT", UNSENT_BYTES),
        ("TCP_USER_TIMEOUT", UNACKNOWLEDGED_MS),
    ):
        if option := getattr(socket, name, None):  # not every system has all of them
            listener.setsockopt(socket.IPPROTO_TCP, option, value)


def raise_descriptor_limit() -> None:
    """Allow as many open sockets as the system permits: the default of 1,024 is soon reached."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
