"""Decides who may see the operators' figures: /api/stats, its stream, a session's timeline.

They name no caller and hold nothing that was said, but a public server should not show them.
Without GATEWAY_STATS_TOKEN only this machine may see them. The request must come from a loopback
address, ask for a loopback name, and have passed no proxy. The name matters, since a foreign page
could rebind its own name to us. A proxy that adds no header looks like a local client. But our page
only works behind a proxy that passes the host on, or with GATEWAY_ORIGINS, and either one ends this
exemption.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

PROXY_HEADERS: Final = ("forwarded", "via", "x-real-ip", "x-forwarded-for", "x-forwarded-host")


@dataclass(frozen=True, slots=True)
class FigureAccess:
    """GATEWAY_STATS_TOKEN and GATEWAY_ORIGINS."""

    token: str = field(default="", repr=False)
    origins: tuple[str, ...] = ()

    def allows(self, client: str | None, headers: Mapping[str, str]) -> bool:
        """Whether this request may see figures. `headers` by their names in lower case."""
        if self.token:
            kind, _, given = headers.get("authorization", "").partition(" ")
            # In constant time; as bytes, since a header may hold any Latin-1 character.
            correct = hmac.compare_digest(given.encode(), self.token.encode())
            return kind.lower() == "bearer" and correct
        if self.origins or any(name in headers for name in PROXY_HEADERS):
            return False
        return _is_loopback(client) and _is_loopback(_host(headers))


def _host(headers: Mapping[str, str]) -> str | None:
    try:
        return urlsplit("//" + headers.get("host", "")).hostname
    except ValueError:  # such as "[::1", which no browser sends
        return None


def _is_loopback(name: str | None) -> bool:
    if name == "localhost":
        return True
    try:
        return name is not None and ip_address(name).is_loopback
    except ValueError:
        return False
