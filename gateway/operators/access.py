"""Who may see the figures of operators: /api/stats, its stream, and a session's timeline.

They name no caller and hold nothing of what was said, yet they are nobody's business on a public
server. Without GATEWAY_STATS_TOKEN they are for whoever sits at this machine: a loopback address,
asked for by a loopback name (a foreign page cannot rebind its name to us), and not passed on by a
proxy. A proxy that says nothing of itself looks like a local caller; one behind which our page
works either passes the host on or needs GATEWAY_ORIGINS, and both end the exemption.
"""

import hmac
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from shared.settings import Settings

PROXY_HEADERS: Final = ("forwarded", "via", "x-real-ip", "x-forwarded-for", "x-forwarded-host")


def may_see(settings: Settings, client: str | None, headers: Mapping[str, str]) -> bool:
    """Whether this request may see figures. `headers` by their names in lower case."""
    if token := settings.gateway_stats_token:
        kind, _, given = headers.get("authorization", "").partition(" ")
        # Compared in constant time, as bytes: a header may hold any of latin-1.
        return kind.lower() == "bearer" and hmac.compare_digest(given.encode(), token.encode())
    if settings.gateway_origins or any(name in headers for name in PROXY_HEADERS):
        return False
    return _is_loopback(client) and _is_loopback(_host(headers))


def _host(headers: Mapping[str, str]) -> str | None:
    try:
        return urlsplit("//" + headers.get("host", "")).hostname
    except ValueError:  # such as "[::1": no browser's
        return None


def _is_loopback(name: str | None) -> bool:
    if name == "localhost":
        return True
    try:
        return name is not None and ip_address(name).is_loopback
    except ValueError:
        return False
