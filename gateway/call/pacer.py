"""Sends every session's frames at their deadlines: one heap and one timer for all of them."""

import asyncio
import heapq
import itertools
import logging
import time
from typing import Final

from gateway.call.session import Session
from gateway.protocol.errors import CallError, ErrorCode

logger = logging.getLogger(__name__)

# The event loop's timers have a grain of 1 ms: what is due within it goes along.
GRAIN_S: Final = 0.001


class Pacer:
    """Runs as timer callbacks of the event loop; never awaits."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Session]] = []
        self._order = itertools.count()  # sessions have no order of their own
        self._timer: asyncio.TimerHandle | None = None

    def arm(self, session: Session, now: float) -> None:
        """See to it that the session's next frame or event leaves at its time."""
        due = session.playout.next_due(now)
        if due is None or (session.due_at is not None and session.due_at <= due):
            return
        session.due_at = due
        heapq.heappush(self._heap, (due, next(self._order), session))
        if self._heap[0][2] is session:
            self._set_timer(now)

    def stop(self) -> None:
        """Send no more."""
        self._heap.clear()
        if self._timer:
            self._timer.cancel()

    def _set_timer(self, now: float) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._heap:
            wait = max(0.0, self._heap[0][0] - now)
            self._timer = asyncio.get_running_loop().call_later(wait, self._run)

    def _run(self) -> None:
        now = time.monotonic()
        while self._heap and self._heap[0][0] <= now + GRAIN_S:
            due, _, session = heapq.heappop(self._heap)
            if session.due_at == due:  # else a newer, earlier entry replaced this one
                session.due_at = None
                self._send(session, max(now, due))
        self._set_timer(now)

    def _send(self, session: Session, now: float) -> None:
        if session.error is not None:
            return
        try:
            session.send_due(now)
        except CallError as error:
            session.fail(error)
        except Exception:  # one session's fault must not stop its neighbours' frames
            logger.exception("playout of session %s failed", session.sid)
            session.fail(CallError(ErrorCode.INTERNAL, "The playout failed"))
        else:
            self.arm(session, now)
