"""Waits for all answers of a pipeline at once, on one connection to Redis.

redis-py opens the connection; then only this class uses it. Redis sends the answers of a pipeline
of audio in several pieces, and redis-py would wake the task for each piece.
"""

import asyncio
from typing import Any, Final

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse
from redis.exceptions import TimeoutError as RedisTimeoutError

from shared.redis_client.redis_py import reply_reader, transport_of

NO_ANSWER_S: Final = 1.0  # for a client without a time limit of its own


class PipelineConnection(asyncio.Protocol):
    """A connection that redis-py opened; it carries one pipeline at a time."""

    def __init__(self, connection: AbstractConnection) -> None:
        self.connection = connection
        self.lost = False
        self._transport = transport_of(connection)
        self._reader = reply_reader(connection)
        self._answers: list[Any] = []
        self._wanted = 0
        self._done: asyncio.Future[list[Any]] | None = None
        self._redis_py = self._transport.get_protocol()  # redis-py closes the connection through it
        self._transport.set_protocol(self)

    async def ask(self, packed: bytes, count: int) -> list[Any]:
        """Send `count` packed commands; their answers in order.

        Raises errors of redis-py, after which the caller must drop the connection.
        """
        loop = asyncio.get_running_loop()
        self._answers, self._wanted = [], count
        done: asyncio.Future[list[Any]] = loop.create_future()
        self._done = done
        if self.lost or self._transport.is_closing():
            raise RedisConnectionError("Expected an open connection, got one that is closed")
        self._transport.write(packed)
        limit_s = self.connection.socket_timeout or NO_ANSWER_S
        late = RedisTimeoutError(f"Expected all answers within {limit_s} s")
        timer = loop.call_later(limit_s, self._fail, late)
        try:
            return await done
        finally:
            timer.cancel()
            self._done = None

    def data_received(self, data: bytes) -> None:
        """Parse what arrived; the last answer ends the wait."""
        try:
            self._reader.feed(data)
            while len(self._answers) < self._wanted:
                answer = self._reader.gets()
                if answer is False:  # incomplete: more data must come
                    return
                self._answers.append(answer)
        except InvalidResponse as error:
            self._fail(RedisConnectionError(f"Expected answers of Redis, got {error}"))
        else:
            if self._done is not None and not self._done.done():
                self._done.set_result(self._answers)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the wait with an error, and let redis-py know."""
        self.lost = True
        reason = exc or "Redis closed it"
        self._fail(RedisConnectionError(f"Lost the connection to Redis: {reason}"))
        self._redis_py.connection_lost(exc)

    def _fail(self, error: Exception) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_exception(error)
