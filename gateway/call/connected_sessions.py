"""The sessions that have a connection to this gateway process."""

from collections.abc import Iterator

from gateway.call.session import Session
from gateway.telemetry import metrics
from shared import telemetry


class ConnectedSessions:
    """A set of sessions, found by id too.

    While a session is resumed on the same gateway it is here twice; its id finds the newer one.
    """

    def __init__(self) -> None:
        self._sessions: set[Session] = set()
        self._by_sid: dict[str, Session] = {}

    def __iter__(self) -> Iterator[Session]:
        return iter(self._sessions)

    def __len__(self) -> int:
        return len(self._sessions)

    def add(self, session: Session) -> None:
        """A session is connected."""
        self._sessions.add(session)
        self._by_sid[session.sid] = session
        telemetry.SESSIONS.set(len(self._sessions))

    def remove(self, session: Session) -> None:
        """A session's connection has ended; its counts go into the metrics."""
        self._sessions.discard(session)
        if self._by_sid.get(session.sid) is session:
            del self._by_sid[session.sid]
        telemetry.SESSIONS.set(len(self._sessions))
        metrics.add_counts(session.take_counts())

    def find(self, sid: str) -> Session | None:
        """The session with this id."""
        return self._by_sid.get(sid)

    def sids(self) -> list[str]:
        """The ids of all sessions that have a socket. The log of one that leaves may be deleted."""
        return [session.sid for session in self._sessions if not session.leaving]

    def collect_counts(self) -> None:
        """Add to the metrics what every playout has counted since the last time."""
        for session in self._sessions:
            metrics.add_counts(session.take_counts())
