"""Appends what callers send to their logs, all sessions in one pipeline."""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Final

from gateway.call.batch import Batch
from gateway.call.connected_sessions import ConnectedSessions
from gateway.call.session import Session
from shared import telemetry
from shared.log.session_log import SessionLog
from shared.log.writes import Receipt

WAIT_PER_SESSION_S: Final = 0.001


class LogWriter:
    """Knows which sessions have records to append, and appends them."""

    def __init__(
        self, log: SessionLog, sessions: ConnectedSessions, wake: Callable[[], None]
    ) -> None:
        self._log = log
        self._sessions = sessions
        self._wake = wake  # starts a tick of the exchange
        self._batch: Batch[Session] = Batch(WAIT_PER_SESSION_S)
        self._alarm: asyncio.TimerHandle | None = None  # when the batch may go out

    @property
    def due_at(self) -> float | None:
        """When the next pipeline may go out; None while no session has records."""
        return self._batch.due_at

    def notify(self, session: Session) -> None:
        """The session may have records to append."""
        if session.unwritten:
            self._batch.add([session])
            if self._alarm is None and (due_at := self.due_at) is not None:
                wait_s = max(0.0, due_at - time.monotonic())
                self._alarm = asyncio.get_running_loop().call_later(wait_s, self._wake)

    def forget(self, session: Session) -> None:
        """Forget a session that is no longer served."""
        self._batch.discard(session)

    def take_due(self, now: float, *, sweep: bool) -> set[Session]:
        """The sessions to append for now: in a sweep all of them."""
        if not sweep and not self._batch.is_due(now):
            return set()
        taken = self._batch.take(now, len(self._sessions))
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        return set(self._sessions) if sweep else taken

    async def append(self, sessions: Iterable[Session]) -> Exception | None:
        """Append these sessions' records; return the error when every write failed.

        One session's error must not slow down the others. Its ring keeps what was not written.
        """
        now = time.monotonic()
        writes = []
        for session in sessions:
            with session.contain_faults("The session failed"):
                if (append := session.next_append(now)) is not None:
                    writes.append((session, append))
        receipts = await self._log.append([append for _, append in writes])
        now = time.monotonic()
        for (session, _), receipt in zip(writes, receipts, strict=True):
            if isinstance(receipt, Receipt):
                self._take_receipt(session, receipt, now)
        stored = (receipt.answer for receipt in receipts if isinstance(receipt, Receipt))
        telemetry.count_receipts("append", stored)
        errors = [receipt for receipt in receipts if isinstance(receipt, Exception)]
        if errors and len(errors) == len(receipts):
            return errors[0]
        telemetry.REDIS_ERRORS.inc(len(errors))
        return None

    def _take_receipt(self, session: Session, receipt: Receipt, now: float) -> None:
        with session.contain_faults("The session failed"):
            session.take_receipt(receipt, now)
        if not session.log_full:  # the sweep tries a full log again
            self.notify(session)
