"""Normalises web origins to the form that browsers send. Sans I/O.

Browsers send `scheme://host[:port]`: in lower case, without the scheme's default port, and an
international name in its ASCII form. An origin that no page can have is refused.
"""

from typing import Final
from urllib.parse import SplitResult, urlsplit

OWN_PORTS: Final = {"http": 80, "https": 443}
OPAQUE: Final = "null"  # of a page from disk
EXAMPLE: Final = "expected an origin such as https://talk.example.org"


def normalised(text: str) -> str:
    """One origin as browsers send it. Raises ValueError if no page can have it."""
    if "*" in text:
        raise ValueError(f"{EXAMPLE}, got {text!r}: name each host, since no pattern is matched")
    if text.lower() == OPAQUE:
        return OPAQUE
    scheme, mark, _ = text.partition("://")
    if not mark:
        raise ValueError(f"{EXAMPLE}, got {text!r}: write its scheme too")
    if scheme.lower() == "file":
        raise ValueError(f"{EXAMPLE}, got {text!r}: pages from disk have the origin null")
    if scheme.lower() in ("ws", "wss"):
        raise ValueError(f"{EXAMPLE}, got {text!r}: a page's origin begins with https or http")
    parts = _split(text)
    if parts.username is not None or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(f"{EXAMPLE}, got {text!r}: an origin ends with the host or its port")
    return f"{parts.scheme}://{_host(parts)}"


def same_host(origin: str, host: str) -> bool:
    """Whether an origin, as a browser sends it, names the host of the request's Host header."""
    try:
        parts = urlsplit(origin)
        asked = urlsplit(f"{parts.scheme}://{host}")
        return bool(parts.netloc) and _host(parts) == _host(asked)
    except ValueError:  # such as "http://[", which no browser sends
        return False


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        parts = SplitResult("", "", "", "", "")
    if not parts.hostname or any(c.isspace() for c in text):
        raise ValueError(f"{EXAMPLE}, got {text!r}: its host or port cannot be read")
    return parts


def _host(parts: SplitResult) -> str:
    """Host and port in lower case, without the scheme's own port. Raises ValueError."""
    name = parts.hostname or ""
    if ":" in name:
        name = f"[{name}]"
    elif not name.isascii():
        name = name.encode("idna").decode()
    port = parts.port
    return name if port is None or port == OWN_PORTS.get(parts.scheme) else f"{name}:{port}"
