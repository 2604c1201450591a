"""Which sessions a tick reads: those that a wakeup named, and in a sweep the others."""

import pytest
from redis.asyncio import Redis

from gateway.call.connected_sessions import ConnectedSessions
from gateway.call.log_reader import LogReader
from gateway.call.pacer import Pacer
from gateway.call.playout import Playout
from gateway.call.session import Session
from gateway.call.uplink import Uplink
from shared.log.session_log import SessionLog


def session(sid: str) -> Session:
    playout = Playout(lead_frames=3)
    return Session(sid, "1:g:n", native=True, uplink=Uplink(0.0), playout=playout, now=0.0)


@pytest.fixture
async def sessions() -> ConnectedSessions:
    connected = ConnectedSessions()
    for sid in "abc":
        connected.add(session(sid))
    return connected


@pytest.fixture
async def reader(sessions: ConnectedSessions) -> LogReader:
    return LogReader(SessionLog(Redis()), sessions, Pacer())


def due(reader: LogReader, now: float, *, sweep: bool = False, failing: bool = False) -> str:
    """The ids of the sessions to read."""
    found = reader.take_due(now, sweep=sweep, failing=failing)
    return "".join(sorted(session.sid for session in found))


async def test_a_wakeup_names_the_session_to_read(reader: LogReader) -> None:
    assert due(reader, 1.0) == ""
    reader.note_wakeups(["b", "on another gateway"])
    assert due(reader, 1.0) == "b"
    assert due(reader, 2.0) == ""


async def test_a_sweep_reads_the_sessions_that_no_wakeup_named(reader: LogReader) -> None:
    reader.note_wakeups(["b"])
    due(reader, 1.0)
    assert due(reader, 2.0, sweep=True) == "ac"
    assert due(reader, 3.0, sweep=True) == "abc"


async def test_after_a_failure_a_sweep_reads_all(reader: LogReader) -> None:
    reader.note_wakeups(["b"])
    due(reader, 1.0)
    assert due(reader, 2.0, sweep=True, failing=True) == "abc"


async def test_a_session_resumed_on_the_same_gateway_is_found_by_its_id(
    reader: LogReader, sessions: ConnectedSessions
) -> None:
    old, new = sessions.find("a"), session("a")
    sessions.add(new)
    assert sessions.find("a") is new
    assert old is not None
    sessions.remove(old)
    assert sessions.find("a") is new
