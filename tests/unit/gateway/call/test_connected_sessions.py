"""The sessions of one gateway, by their ids."""

from gateway.call.connected_sessions import ConnectedSessions
from gateway.call.playout import Playout
from gateway.call.session import Session
from gateway.call.uplink import Uplink


def session(sid: str, conn: str = "1:g:n") -> Session:
    playout = Playout(lead_frames=10)
    return Session(sid, conn, native=True, uplink=Uplink(0.0), playout=playout, now=0.0)


def test_an_id_finds_the_newer_of_two_connections() -> None:
    sessions, first, second = ConnectedSessions(), session("a"), session("a", "2:g:n")
    sessions.add(first)
    sessions.add(second)
    assert sessions.find("a") is second
    sessions.remove(first)
    assert sessions.find("a") is second
    sessions.remove(second)
    assert sessions.find("a") is None
    assert len(sessions) == 0


def test_a_session_that_leaves_is_not_put_back_on_the_list_of_sessions() -> None:
    """Its log may be deleted at any moment: a hint that comes after that would stay."""
    sessions, staying, leaving = ConnectedSessions(), session("a"), session("b")
    sessions.add(staying)
    sessions.add(leaving)
    leaving.start_leaving()
    assert sessions.sids() == ["a"]
    assert set(sessions) == {staying, leaving}
