"""Pipelines of plain commands, packed in C: where many sessions share a round trip, packing each
argument in Python cost more than everything else that was done for it (83 us against 13 an append).

The connections are redis-py's own, from its pool: it connects, authenticates and reconnects. To a
Cluster it also packs, since it knows which node has which key.
"""

from collections.abc import Sequence
from typing import Any, cast

import hiredis
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ResponseError

Command = tuple[Any, ...]  # str, bytes or int


async def ask(redis: Redis, commands: Sequence[Command]) -> list[Any]:
    """Each command's answer, in order; one that Redis refused is its ResponseError.

    Where only some of a Cluster's nodes answer, the others' commands are ConnectionErrors or
    TimeoutErrors. Else raises these, of redis-py: then any of the commands may have been done.
    """
    if is_cluster(redis):
        return await _ask_cluster(redis, commands)
    pool = redis.connection_pool
    connection: AbstractConnection = await pool.get_connection()  # type: ignore[no-untyped-call]
    try:
        packed = b"".join([hiredis.pack_command(command) for command in commands])
        await connection.send_packed_command(packed, check_health=False)
        return [await _answer(connection) for _ in commands]
    except BaseException:
        # Half a pipeline must not be left for the next one to read.
        await connection.disconnect(nowait=True)
        raise
    finally:
        await pool.release(connection)


def is_cluster(redis: Redis) -> bool:
    """Whether this client speaks to a Cluster (it passes for a Redis)."""
    return isinstance(cast(object, redis), RedisCluster)


async def _ask_cluster(redis: Redis, commands: Sequence[Command]) -> list[Any]:
    async with redis.pipeline(transaction=False) as pipe:
        for command in commands:
            # Not `evalsha`: a Cluster's pipeline refuses it, since keys might lie apart.
            pipe.execute_command(*command)
        return await pipe.execute(raise_on_error=False)


async def _answer(connection: AbstractConnection) -> Any:
    try:
        return await connection.read_response()
    except ResponseError as error:
        return error
