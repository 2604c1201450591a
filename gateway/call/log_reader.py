"""Reads new output records from the logs of all sessions in one pipeline."""

import logging
import time
from collections.abc import Iterable
from typing import Final

from gateway.call.batch import Batch
from gateway.call.connected_sessions import ConnectedSessions
from gateway.call.pacer import Pacer
from gateway.call.session import Session
from gateway.protocol.errors import CallError, ErrorCode
from shared.errors import SchemaError
from shared.log.records import OutputRecord
from shared.log.session_log import SessionLog

logger = logging.getLogger(__name__)

# A worker publishes the wakeups of all its sessions together, so a read waits only briefly.
WAIT_PER_SESSION_S: Final = 0.00025


class LogReader:
    """Knows which sessions have records to read, and reads them."""

    def __init__(self, log: SessionLog, sessions: ConnectedSessions, pacer: Pacer) -> None:
        self._log = log
        self._sessions = sessions
        self._pacer = pacer
        self._woken: Batch[str] = Batch(WAIT_PER_SESSION_S)  # session ids
        self._read_since_sweep: set[Session] = set()

    @property
    def due_at(self) -> float | None:
        """When the next pipeline may go out; None while there are no new records."""
        return self._woken.due_at

    def note_wakeups(self, sids: Iterable[str]) -> None:
        """These sessions, connected here or elsewhere, have new records."""
        self._woken.add(sids)

    def forget(self, session: Session) -> None:
        """Forget a session that is no longer served."""
        self._read_since_sweep.discard(session)

    def take_due(self, now: float, *, sweep: bool, failing: bool) -> set[Session]:
        """The sessions to read for now.

        A sweep adds those that no pipeline has read since the last one, and all after a failure.
        """
        if not sweep and not self._woken.is_due(now):
            return set()
        sids = self._woken.take(now, len(self._sessions))
        due = {session for sid in sids if (session := self._sessions.find(sid)) is not None}
        if not sweep:
            self._read_since_sweep |= due
            return due
        unread = set(self._sessions) - self._read_since_sweep
        self._read_since_sweep.clear()
        return set(self._sessions) if failing else due | unread

    async def read(self, sessions: Iterable[Session]) -> None:
        """Read these sessions' records and send what is due. Raises RedisError."""
        reading = [session for session in sessions if session.wants_records]
        wants = [(session.sid, session.position) for session in reading]
        try:
            found = await self._log.read_outputs(wants)
        except SchemaError:
            found = [await self._read_one(session) for session in reading]
        now = time.monotonic()
        for session, entries in zip(reading, found, strict=True):
            if entries:
                with session.contain_faults("The session failed"):
                    session.take_records(entries, now)
                    session.send_due(now)  # most of it is due at once and needs no timer
                self._pacer.schedule(session, now)

    async def _read_one(self, session: Session) -> list[tuple[int, OutputRecord]]:
        """One session's records; an unreadable one ends that session only."""
        try:
            return (await self._log.read_outputs([(session.sid, session.position)]))[0]
        except SchemaError as error:
            logger.error("session %s: unreadable record: %s", session.sid, error)  # noqa: TRY400
            session.fail(CallError(ErrorCode.INTERNAL, "The session's log cannot be read"))
            return []
