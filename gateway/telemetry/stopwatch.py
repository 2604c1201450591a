"""How long one caller waits: for the log to store their audio, for a reply to start. Sans I/O."""

from bisect import bisect_left
from collections import deque
from typing import Final

KNOWN_RECORDS: Final = 256  # arrivals remembered, one a record: 20 s of audio


class Stopwatch:
    """Times are monotonic seconds; n are the caller's record numbers."""

    def __init__(self) -> None:
        self._arrivals: deque[tuple[int, float]] = deque(maxlen=KNOWN_RECORDS)  # n, when
        self._stored = 0  # the last record that the log is known to hold
        self._turn_ended_at: float | None = None

    def received(self, n: int, now: float) -> None:
        """The caller has sent all records up to n."""
        if not self._arrivals or self._arrivals[-1][0] < n:
            self._arrivals.append((n, now))

    def stored(self, n: int, now: float) -> float | None:
        """The log holds all records up to n; how long the newest took, None if none is new."""
        if n <= self._stored:
            return None
        self._stored = n
        at = self._arrival_of(n)
        return None if at is None else now - at

    def turn_ended(self, n: int) -> None:
        """The worker decided that record n ended the caller's turn.

        The wait for the reply begins when record n arrived. The decision itself arrives together
        with the reply's first audio, so it would hide the way there and the model's time.
        """
        self._turn_ended_at = self._arrival_of(n)

    def reply_started(self, now: float) -> float | None:
        """A reply's first frame leaves; how long after the turn, None without a turn before it."""
        since, self._turn_ended_at = self._turn_ended_at, None
        return None if since is None else now - since

    def _arrival_of(self, n: int) -> float | None:
        """When record n arrived; None for one that is forgotten or was never received."""
        index = bisect_left(self._arrivals, (n, 0.0))
        return self._arrivals[index][1] if index < len(self._arrivals) else None
