"""Limits the connections of one gateway process, in all and for each address. Sans I/O.

A socket takes a place from its handshake on, whether or not it ever starts a call. A call whose
socket was lost keeps a place too, since it holds a worker's slot until it is resumed or given up.
"""

import ipaddress
from collections import Counter, OrderedDict
from typing import Final

from gateway.protocol.errors import NoCapacity

# Sockets beyond the sessions that a process takes: handshakes, and refusals on their way out.
EXTRA_SOCKETS: Final = 256
# One customer of a provider has a whole /64 of IPv6 addresses.
IPV6_PREFIX: Final = 64


class ConnectionLimits:
    """Counts sockets, and calls that lost theirs."""

    def __init__(self, *, sockets: int, per_address: int) -> None:
        self._max_sockets = sockets
        self._per_address = per_address
        self._sockets: Counter[str] = Counter()  # by address
        self._lost_calls: Counter[str] = Counter()  # by address
        # The address of each lost call by its session id, and until when it keeps its place.
        self._reserved: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def add_socket(self, address: str) -> None:
        """Take a place for a socket. Raises NoCapacity.

        An address may have more sockets than calls, since a client that resumes a call may still
        hold the lost socket.
        """
        if self._sockets.total() >= self._max_sockets:
            raise _refusal(f"all {self._max_sockets} connections of this gateway are taken")
        if address and self._sockets[address] >= 2 * self._per_address:
            raise _refusal("too many connections from your address")
        self._sockets[address] += 1

    def check_new_call(self, address: str, now: float) -> None:
        """Check that a counted socket may begin a call. Raises NoCapacity."""
        while self._reserved and (oldest := next(iter(self._reserved.items())))[1][1] <= now:
            self.release(oldest[0])
        if address and self._sockets[address] + self._lost_calls[address] > self._per_address:
            raise _refusal(f"{self._per_address} calls from your address are here already")

    def remove_socket(self, address: str) -> None:
        """A socket is gone."""
        _take_one(self._sockets, address)

    def reserve(self, sid: str, address: str, until: float) -> None:
        """A call has lost its socket and keeps a place until then."""
        self.release(sid)
        self._lost_calls[address] += 1
        self._reserved[sid] = (address, until)

    def release(self, sid: str) -> None:
        """The call has a socket again, or is given up."""
        if found := self._reserved.pop(sid, None):
            _take_one(self._lost_calls, found[0])


def counted_address(host: str | None) -> str:
    """The address that a host counts as; "" for one that does not identify the client.

    Loopback is the operator, or a proxy that the settings do not name: its clients must not share
    one count.
    """
    try:
        address = ipaddress.ip_address((host or "").partition("%")[0])
    except ValueError:  # a Unix socket, or what a proxy wrote in place of an address
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address
    if address.is_loopback:
        return ""
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((address, IPV6_PREFIX), strict=False))


def _take_one(counts: Counter[str], address: str) -> None:
    counts[address] -= 1
    if not counts[address]:
        del counts[address]  # else addresses of past clients would pile up


def _refusal(reason: str) -> NoCapacity:
    return NoCapacity(f"No room for a call: {reason}")
