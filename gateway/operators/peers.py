"""The gateways that share this Redis, as one of them sees them. Sans I/O."""

from collections.abc import Mapping
from typing import Any, Final

LIVES_S: Final = 5.0  # without a beat; gateways publish every second
FORGOTTEN_S: Final = 30.0  # then whoever sees it takes it off the list


class Peers:
    """Whose beat moved lately, by our monotonic clock."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[object, float, bool, Mapping[str, Any]]] = {}

    def observe(self, shown: Mapping[str, Mapping[str, Any]], now: float) -> None:
        """Take what all have published."""
        known, self._known = self._known, {}
        for name, status in shown.items():
            beat, moved_at, moved, _ = known.get(name, (status.get("beat"), now, False, status))
            if beat != status.get("beat"):
                moved_at, moved = now, True
            self._known[name] = (status.get("beat"), moved_at, moved, status)

    def live(self, now: float) -> dict[str, Mapping[str, Any]]:
        """What those have published that were seen to beat in the last 5 s."""
        return {
            name: status
            for name, (_, moved_at, moved, status) in self._known.items()
            if moved and now - moved_at <= LIVES_S
        }

    def gone(self, now: float) -> list[str]:
        """Those that stood still for 30 s."""
        return [name for name, (_, at, _, _) in self._known.items() if now - at > FORGOTTEN_S]
