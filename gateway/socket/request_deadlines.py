"""Ends connections that do not send a whole request soon.

A proxy in front that buffers whole requests does this better, but the gateway needs none.
"""

import asyncio
from typing import Final, Protocol

# From the connection, or the last response on it, to the next whole request. No request has a body.
REQUEST_WITHIN_S: Final = 5.0
# Connections without a whole request. An honest one needs milliseconds, so the oldest is ended.
MAX_WAITING: Final = 1_024


class Connection(Protocol):
    """A connection that can be ended without a word."""

    def abort(self) -> None:
        """End it now."""


class RequestDeadlines:
    """A timer for each connection that has not sent its request yet, the oldest first."""

    def __init__(self) -> None:
        self._timers: dict[Connection, asyncio.TimerHandle] = {}

    def start(self, connection: Connection) -> None:
        """Give the connection its time for one request."""
        self.stop(connection)
        if len(self._timers) >= MAX_WAITING:
            self._expire(next(iter(self._timers)))
        loop = asyncio.get_running_loop()
        self._timers[connection] = loop.call_later(REQUEST_WITHIN_S, self._expire, connection)

    def stop(self, connection: Connection) -> None:
        """The request is whole, or the connection is gone."""
        if timer := self._timers.pop(connection, None):
            timer.cancel()

    def _expire(self, connection: Connection) -> None:
        self.stop(connection)
        connection.abort()
