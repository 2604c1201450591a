"""Pipelines of plain commands: many sessions share a round trip, and what a trip costs is little.

redis-py makes the connections. It does not speak on them: where it packs each argument, looks
after the pool, and gives each answer a coroutine and a time limit of its own, a trip of twelve
commands cost 220 us of CPU; so it costs 40. To a Cluster it speaks as well, since it knows which
node has which key.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, cast

import hiredis
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ReadOnlyError

from shared.redis_client.connection import Line

Command = tuple[Any, ...]  # str, bytes or int
MAX_IDLE: Final = 8  # connections kept for the next round trips


class Pipe:
    """One process's round trips to a Redis; those that overlap have a connection each."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self._idle: list[Line] = []  # for the pool they are in use: it closes them

    async def ask(self, commands: Sequence[Command]) -> list[Any]:
        """Each command's answer, in order; one that Redis refused is its ResponseError.

        Where only some of a Cluster's nodes answer, the others' commands are ConnectionErrors or
        TimeoutErrors. Else raises these, of redis-py: then any of the commands may have been done.
        """
        if is_cluster(self.redis):
            return await _ask_cluster(self.redis, commands)
        if not commands:
            return []
        packed = b"".join([hiredis.pack_command(command) for command in commands])
        line = await self._line()
        try:
            found = await line.ask(packed, len(commands))
        except BaseException:
            # Half a pipeline must not be left for the next one to read.
            await self._drop(line.connection)
            raise
        if any(isinstance(answer, ReadOnlyError) for answer in found):
            await self._drop(line.connection)  # no primary any more: the next is the successor's
        elif len(self._idle) < MAX_IDLE:
            self._idle.append(line)
        else:
            await self._drop(line.connection)  # of a rush
        return found

    async def _line(self) -> Line:
        while self._idle:
            line = self._idle.pop()
            if not line.lost:
                return line
            await self._drop(line.connection)
        pool = self.redis.connection_pool
        return Line(await pool.get_connection())  # type: ignore[no-untyped-call]

    async def _drop(self, connection: AbstractConnection) -> None:
        await connection.disconnect(nowait=True)
        await self.redis.connection_pool.release(connection)


@asynccontextmanager
async def subscribed(redis: Redis, channel: str) -> AsyncIterator[AsyncIterator[bytes]]:
    """What is published on a channel from now on, for ever. Raises errors of redis-py."""
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
    parser = cast(Any, connection._parser)
    while True:
        _, _, data = await parser.read_response()
        yield data


def is_cluster(redis: Redis) -> bool:
    """Whether this client speaks to a Cluster (it passes for a Redis)."""
    return isinstance(cast(object, redis), RedisCluster)


async def _ask_cluster(redis: Redis, commands: Sequence[Command]) -> list[Any]:
    async with redis.pipeline(transaction=False) as pipe:
        for command in commands:
            # Not `evalsha`: a Cluster's pipeline refuses it, since keys might lie apart.
            pipe.execute_command(*command)
        return await pipe.execute(raise_on_error=False)
