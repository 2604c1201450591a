"""One connection to Redis on which a whole pipeline's answers are awaited at once.

redis-py makes the connection (address, TLS, AUTH, database), and then we speak on it alone: it
would wake the task for each piece of the answers that arrives, and Redis sends those of a pipeline
of audio in several.
"""

import asyncio
from typing import Any, Final, cast

import hiredis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse
from redis.exceptions import TimeoutError as RedisTimeoutError

NO_ANSWER_S: Final = 1.0  # for a client that was made without a time limit


class Line(asyncio.Protocol):
    """What was redis-py's `connection`; one pipeline at a time."""

    def __init__(self, connection: AbstractConnection) -> None:
        if connection._writer is None:
            raise RedisConnectionError("Expected an open connection, got one that is closed")
        self.connection = connection
        self.lost = False
        errors = cast(Any, connection._parser).parse_error
        self._reader = hiredis.Reader(protocolError=InvalidResponse, replyError=errors)
        self._answers: list[Any] = []
        self._wanted = 0
        self._whole: asyncio.Future[list[Any]] | None = None
        self._transport = cast(asyncio.Transport, connection._writer.transport)
        self._streams = self._transport.get_protocol()  # redis-py closes through it
        self._transport.set_protocol(self)

    async def ask(self, packed: bytes, count: int) -> list[Any]:
        """Send so many commands; their answers in order.

        Raises errors of redis-py; the connection is not to be used any more then.
        """
        loop = asyncio.get_running_loop()
        self._answers, self._wanted = [], count
        whole: asyncio.Future[list[Any]] = loop.create_future()
        self._whole = whole
        if self.lost or self._transport.is_closing():
            raise RedisConnectionError("Expected an open connection, got one that is closed")
        self._transport.write(packed)
        limit_s = self.connection.socket_timeout or NO_ANSWER_S
        timer = loop.call_later(limit_s, self._fail, RedisTimeoutError("No answer in time"))
        try:
            return await whole
        finally:
            timer.cancel()
            self._whole = None

    def data_received(self, data: bytes) -> None:
        """Part of the answers came."""
        try:
            self._reader.feed(data)
            while len(self._answers) < self._wanted:
                answer = self._reader.gets()
                if answer is False:  # not whole yet
                    return
                self._answers.append(answer)
        except InvalidResponse as error:
            self._fail(RedisConnectionError(f"Expected answers of Redis, got {error}"))
        else:
            if self._whole is not None and not self._whole.done():
                self._whole.set_result(self._answers)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self.lost = True
        self._fail(RedisConnectionError(f"Lost the connection to Redis: {exc or 'it closed it'}"))
        self._streams.connection_lost(exc)

    def _fail(self, error: Exception) -> None:
        if self._whole is not None and not self._whole.done():
            self._whole.set_exception(error)
