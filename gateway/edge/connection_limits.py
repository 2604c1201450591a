"""Who may take a place at this process, sans I/O: counts of sockets, in all and by address.

A place is a socket, from its handshake on, whether or not it ever starts a call; and for a while
a call whose socket was lost, since it holds a worker's slot until its caller is back or given up.
"""

import ipaddress
from collections import Counter, OrderedDict
from typing import Final

from gateway.protocol.errors import NoCapacity

# Sockets beyond the sessions that a process takes: handshakes, refusals on their way out.
NEWCOMERS: Final = 256
# One customer of a provider has a whole /64 of IPv6 addresses.
IPV6_PREFIX: Final = 64


class Door:
    """The places of one gateway process."""

    def __init__(self, *, sockets: int, per_address: int) -> None:
        self.sockets = sockets
        self.per_address = per_address
        self._here: Counter[str] = Counter()  # sockets
        self._away: Counter[str] = Counter()  # calls whose socket was lost
        self._absent: OrderedDict[str, tuple[str, float]] = OrderedDict()  # by session, by age

    def enter(self, address: str) -> None:
        """Take a place for a socket. Raises NoCapacity when there is none.

        An address may hold more sockets than calls: who comes back may still hold the lost one.
        """
        if self._here.total() >= self.sockets:
            raise _refusal(f"all {self.sockets} connections of this gateway are taken")
        if address and self._here[address] >= 2 * self.per_address:
            raise _refusal("too many connections from your address")
        self._here[address] += 1

    def begin(self, address: str, now: float) -> None:
        """A socket that has entered wants a new call. Raises NoCapacity when that is too many."""
        while self._absent and (oldest := next(iter(self._absent.items())))[1][1] <= now:
            self.welcome_back(oldest[0])
        if address and self._here[address] + self._away[address] > self.per_address:
            raise _refusal(f"{self.per_address} calls from your address are here already")

    def leave(self, address: str) -> None:
        """A socket is gone."""
        _take_one(self._here, address)

    def expect_back(self, sid: str, address: str, until: float) -> None:
        """A call has lost its socket: it keeps a place until then."""
        self.welcome_back(sid)
        self._away[address] += 1
        self._absent[sid] = (address, until)

    def welcome_back(self, sid: str) -> None:
        """It has a socket again."""
        if found := self._absent.pop(sid, None):
            _take_one(self._away, found[0])


def counted_address(host: str | None) -> str:
    """What an address counts as; "" for one that says nothing about who it is.

    Loopback is the operator, or a proxy that nobody has named: its clients must not share a count.
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
        del counts[address]  # strangers' addresses must not pile up


def _refusal(reason: str) -> NoCapacity:
    return NoCapacity(f"No room for a call: {reason}")
