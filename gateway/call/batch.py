"""Which sessions wait for the next pipeline to Redis, and when it may go out. Sans I/O."""

from collections.abc import Iterable
from typing import Final, Generic, TypeVar

MAX_WAIT_S: Final = 0.020  # one frame
# The event loop's timers have a resolution of 1 ms, so anything due within 1 ms leaves too.
TIMER_RESOLUTION_S: Final = 0.001

_T = TypeVar("_T")


class Batch(Generic[_T]):
    """Collects sessions for one pipeline, which costs some ten system calls.

    The more sessions there are, the longer it waits for others to join: `wait_per_session_s` for
    each, counted from the previous pipeline, and MAX_WAIT_S at most. A single session hardly waits.
    """

    def __init__(self, wait_per_session_s: float) -> None:
        self._wait_per_session_s = wait_per_session_s
        self._waiting: set[_T] = set()
        self._not_before = 0.0

    @property
    def due_at(self) -> float | None:
        """When the pipeline may go out; None while no session waits."""
        return self._not_before if self._waiting else None

    def add(self, sessions: Iterable[_T]) -> None:
        """Add these to the next pipeline."""
        self._waiting.update(sessions)

    def discard(self, session: _T) -> None:
        """Leave this one out."""
        self._waiting.discard(session)

    def is_due(self, now: float) -> bool:
        """Whether the pipeline may go out now."""
        return bool(self._waiting) and now + TIMER_RESOLUTION_S >= self._not_before

    def take(self, now: float, sessions: int) -> set[_T]:
        """Remove and return the sessions that waited; `sessions`: how many there are in all."""
        taken, self._waiting = self._waiting, set()
        self._not_before = now + min(MAX_WAIT_S, sessions * self._wait_per_session_s)
        return taken
