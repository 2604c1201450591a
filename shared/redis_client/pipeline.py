"""Sends pipelines of plain commands at a fifth of redis-py's CPU time.

redis-py opens the connections, and `connection.py` uses them. The pipelines of redis-py pack each
argument, manage the pool, and give each answer a coroutine and a time limit. With them a round trip
of twelve commands took 220 us of CPU; here it takes 40. With a Cluster redis-py still sends the
commands, since it knows which node has which key.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, cast

import hiredis
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ReadOnlyError

from shared.redis_client.connection import PipelineConnection
from shared.redis_client.redis_py import next_push

Command = tuple[Any, ...]  # of str, bytes or int
MAX_IDLE: Final = 8  # connections that stay open for the next round trips


class Pipe:
    """One process's pipelines to one Redis; pipelines that overlap use separate connections."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        # redis-py's pool counts these as in use, so it closes them with itself.
        self._idle: list[PipelineConnection] = []

    async def ask(self, commands: Sequence[Command]) -> list[Any]:
        """Each command's answer, in order; a refused command's answer is its ResponseError.

        When only some nodes of a Cluster answer, the other commands' answers are ConnectionErrors
        or TimeoutErrors. Otherwise these are raised, and Redis may have run any of the commands.
        """
        if is_cluster(self.redis):
            return await _ask_cluster(self.redis, commands)
        if not commands:
            return []
        packed = b"".join([hiredis.pack_command(command) for command in commands])
        connection = await self._connection()
        try:
            found = await connection.ask(packed, len(commands))
        except BaseException:
            # The next pipeline must not read the rest of this one's answers.
            await self._drop(connection)
            raise
        if any(isinstance(answer, ReadOnlyError) for answer in found):
            await self._drop(connection)  # no longer the primary; a new one reaches its successor
        elif len(self._idle) < MAX_IDLE:
            self._idle.append(connection)
        else:
            await self._drop(connection)  # a burst opened more than we keep
        return found

    async def _connection(self) -> PipelineConnection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.lost:
                return connection
            await self._drop(connection)
        pool = self.redis.connection_pool
        return PipelineConnection(await pool.get_connection())  # type: ignore[no-untyped-call]

    async def _drop(self, dropped: PipelineConnection) -> None:
        await dropped.connection.disconnect(nowait=True)
        await self.redis.connection_pool.release(dropped.connection)


@asynccontextmanager
async def subscribed(redis: Redis, channel: str) -> AsyncIterator[AsyncIterator[bytes]]:
    """An endless iterator of what is published on a channel from now on. Raises RedisError."""
    pool = redis.connection_pool
    connection: AbstractConnection = await pool.get_connection()  # type: ignore[no-untyped-call]
    subscribe: Command = ("SUBSCRIBE", channel)
    try:
        await connection.send_packed_command(hiredis.pack_command(subscribe))
        await connection.read_response()
        yield _messages(connection)
    finally:
        await connection.disconnect(nowait=True)
        await pool.release(connection)


async def _messages(connection: AbstractConnection) -> AsyncIterator[bytes]:
    while True:
        _, _, data = await next_push(connection)
        yield data


def is_cluster(redis: Redis) -> bool:
    """Whether this client speaks to a Cluster; `url.client` types both kinds as Redis."""
    return isinstance(cast(object, redis), RedisCluster)


async def _ask_cluster(redis: Redis, commands: Sequence[Command]) -> list[Any]:
    async with redis.pipeline(transaction=False) as pipe:
        for command in commands:
            # redis-py refuses `evalsha` in a Cluster's pipeline, since keys might lie apart.
            pipe.execute_command(*command)
        return await pipe.execute(raise_on_error=False)
