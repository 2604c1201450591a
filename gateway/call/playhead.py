"""How far one caller's player has come, and when to log that. Sans I/O."""

from collections.abc import Callable
from typing import Final

# A client that stops reporting is estimated again, or the worker would wait for its playhead.
REPORTS_WITHIN_S: Final = 2.0


class Playhead:
    """The last frame that was played: as the client reports it, else as the clock suggests."""

    def __init__(self, frame: int, now: float) -> None:
        self._frame = self._logged_frame = frame
        self._logged_at = now
        self._reported_at: float | None = None

    def report(self, frame: int, now: float) -> None:
        """The client reports its player's position. The first report may correct downwards."""
        self._frame = frame if self._reported_at is None else max(self._frame, frame)
        self._reported_at = now

    def estimate(self, frame_at: Callable[[float], int], now: float) -> None:
        """Estimate it from what was sent, but only while the client does not report."""
        if self._reported_at is None or now - self._reported_at > REPORTS_WITHIN_S:
            self._frame = max(self._frame, frame_at(now))

    def must_log(self, now: float, every_s: float) -> bool:
        """Whether it has moved since it was logged, at least `every_s` ago."""
        return self._frame != self._logged_frame and now - self._logged_at >= every_s

    def log(self, now: float) -> int:
        """The frame to log now."""
        self._logged_frame, self._logged_at = self._frame, now
        return self._frame
