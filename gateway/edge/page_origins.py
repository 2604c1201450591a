"""Which pages may open a call, by their web origin. Sans I/O."""

from collections.abc import Mapping
from typing import Final

from shared.origins import same_host

SAY_EVERY_S: Final = 60.0
# Strangers choose the origins, so they must not fill the log or the memory.
MAX_SAID: Final = 16  # origins in SAY_EVERY_S
MAX_SHOWN: Final = 200  # characters


class PageOrigins:
    """The gateway's own origin, and those of GATEWAY_ORIGINS."""

    def __init__(self, origins: tuple[str, ...]) -> None:
        self._origins = origins
        self._said: dict[str, float] = {}  # a refused origin -> when the log said so

    def allow(self, headers: Mapping[str, str]) -> bool:
        """Whether this page may open a call. Only browsers send an origin."""
        origin = headers.get("origin")
        return (
            origin is None or origin in self._origins or same_host(origin, headers.get("host", ""))
        )

    def refusal(self, headers: Mapping[str, str], now: float) -> str | None:
        """What the log should say of a refused page; None if it said so within a minute."""
        origin = headers.get("origin", "")[:MAX_SHOWN]
        self._said = {o: at for o, at in self._said.items() if now - at < SAY_EVERY_S}
        if origin in self._said or len(self._said) >= MAX_SAID:
            return None
        self._said[origin] = now
        host = headers.get("host", "")[:MAX_SHOWN]
        return (
            f"refused a page of the origin {origin!r}, which asked for the host {host!r}: to let "
            "it call, add the origin to GATEWAY_ORIGINS; if a proxy changed the host, let it pass "
            "the Host header on"
        )
