"""Sends every session's frames at their deadlines, with one heap and one timer for all of them."""

import asyncio
import heapq
import itertools
import time

from gateway.call.batch import TIMER_RESOLUTION_S
from gateway.call.session import Session


class Pacer:
    """Runs as timer callbacks of the event loop; never awaits."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Session]] = []
        self._due_at: dict[Session, float] = {}  # each session's earliest entry
        self._order = itertools.count()  # sessions have no order of their own
        self._timer: asyncio.TimerHandle | None = None

    def schedule(self, session: Session, now: float) -> None:
        """Send the session's next frame or event when it is due."""
        due_at = session.next_due(now)
        if due_at is None or self._due_at.get(session, float("inf")) <= due_at:
            return
        self._due_at[session] = due_at
        heapq.heappush(self._heap, (due_at, next(self._order), session))
        if self._heap[0][2] is session:
            self._set_timer(now)

    def stop(self) -> None:
        """Send nothing more."""
        self._heap.clear()
        self._due_at.clear()
        if self._timer:
            self._timer.cancel()

    def _set_timer(self, now: float) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._heap:
            wait_s = max(0.0, self._heap[0][0] - now)
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._send_due)

    def _send_due(self) -> None:
        now = time.monotonic()
        while self._heap and self._heap[0][0] <= now + TIMER_RESOLUTION_S:
            due_at, _, session = heapq.heappop(self._heap)
            if self._due_at.get(session) == due_at:  # else an earlier entry replaced this one
                del self._due_at[session]
                self._send(session, max(now, due_at))
        self._set_timer(now)

    def _send(self, session: Session, now: float) -> None:
        if session.error is None:
            with session.contain_faults("The playout failed"):
                session.send_due(now)
                self.schedule(session, now)
