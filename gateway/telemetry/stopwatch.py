"""What one caller waits for: the log to take what they said, and the answer to begin. Sans I/O."""

from bisect import bisect_left
from collections import deque
from typing import Final

KEPT: Final = 256  # records whose arrival is remembered: 20 s of audio


class Stopwatch:
    """Times are monotonic seconds; n are the caller's record numbers."""

    def __init__(self) -> None:
        self._came: deque[tuple[int, float]] = deque(maxlen=KEPT)  # record n, when it came
        self._stored = 0  # the last record that the log was seen to hold
        self._decided_at: float | None = None

    def came(self, n: int, now: float) -> None:
        """All records up to n have come from the caller."""
        if not self._came or self._came[-1][0] < n:
            self._came.append((n, now))

    def stored(self, n: int, now: float) -> float | None:
        """The log holds all up to n: how long the newest of them took. None: nothing new."""
        if n <= self._stored:
            return None
        self._stored = n
        at = self._at(n)
        return None if at is None else now - at

    def decided(self, n: int) -> None:
        """The caller's turn was over with record n: the answer is awaited since that came.

        Not since the decision was read: it comes from the log together with the first audio, and
        the way there and the model's time would not be seen.
        """
        self._decided_at = self._at(n)

    def answered(self, now: float) -> float | None:
        """A reply's first frame leaves: how long after the turn. None when nobody waited."""
        since, self._decided_at = self._decided_at, None
        return None if since is None else now - since

    def _at(self, n: int) -> float | None:
        """When record n came; None for one that is no longer, or was never, known."""
        index = bisect_left(self._came, (n, 0.0))
        return self._came[index][1] if index < len(self._came) else None
