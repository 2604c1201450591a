"""Connections without a whole request."""

import asyncio

import pytest

from gateway.socket import request_deadlines
from gateway.socket.request_deadlines import RequestDeadlines


class Connection:
    def __init__(self) -> None:
        self.aborted = False

    def abort(self) -> None:
        self.aborted = True


async def test_a_connection_without_a_request_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_deadlines, "REQUEST_WITHIN_S", 0.001)
    deadlines, silent, honest = RequestDeadlines(), Connection(), Connection()
    for connection in (silent, honest):
        deadlines.start(connection)
    deadlines.stop(honest)
    await asyncio.sleep(0.02)
    assert (silent.aborted, honest.aborted) == (True, False)


async def test_the_oldest_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_deadlines, "MAX_WAITING", 2)
    deadlines, connections = RequestDeadlines(), [Connection() for _ in range(3)]
    for connection in connections:
        deadlines.start(connection)
    assert [connection.aborted for connection in connections] == [True, False, False]
    for connection in connections:
        deadlines.stop(connection)
