"""The gateways that share this Redis, as this one sees them. Sans I/O."""

from collections.abc import Mapping
from typing import Any, Final

from shared.beats import Beats

LIVES_S: Final = 5.0  # without a beat; gateways publish every second
FORGOTTEN_S: Final = 30.0  # then another gateway removes it from the list


class Peers:
    """What the gateways have published, and which of them beat."""

    def __init__(self) -> None:
        self._beats = Beats()
        self._shown: Mapping[str, Mapping[str, Any]] = {}

    def observe(self, shown: Mapping[str, Mapping[str, Any]], now: float) -> None:
        """Take what all gateways have published."""
        self._beats.look({name: status.get("beat") for name, status in shown.items()}, now)
        self._shown = shown

    def live(self, now: float) -> dict[str, Mapping[str, Any]]:
        """What each gateway with a beat in the last 5 s published."""
        return {name: self._shown[name] for name in self._beats.moving(LIVES_S, now)}

    def gone(self, now: float) -> list[str]:
        """Gateways without a beat for 30 s."""
        return sorted(self._beats.still(FORGOTTEN_S, now))
