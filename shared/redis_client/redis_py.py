"""Wraps the private names of redis-py that `connection.py` and `pipeline.py` need.

redis-py opens a connection (address, TLS, AUTH, database) but has no public access to its
transport. `tests/unit/shared/redis_client/test_redis_py.py` fails when a release renames these
names, and pyproject.toml bounds the releases.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, cast

import hiredis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse

WRITER: Final = "_writer"
PARSER: Final = "_parser"
PARSE_ERROR: Final = "parse_error"
READ_RESPONSE: Final = "read_response"


def transport_of(connection: AbstractConnection) -> asyncio.Transport:
    """The transport of an open connection. Raises redis-py's ConnectionError on a closed one."""
    writer = getattr(connection, WRITER)
    if writer is None:
        raise RedisConnectionError("Expected an open connection, got one that is closed")
    return cast(asyncio.Transport, writer.transport)


def reply_reader(connection: AbstractConnection) -> hiredis.Reader:
    """A parser of replies that makes the same exceptions as redis-py does."""
    parse_error = cast(
        Callable[[str], Exception], getattr(getattr(connection, PARSER), PARSE_ERROR)
    )
    return hiredis.Reader(protocolError=InvalidResponse, replyError=parse_error)


async def next_push(connection: AbstractConnection) -> Any:
    """The next message of a subscribed connection; waits past the socket's time limit."""
    return await getattr(getattr(connection, PARSER), READ_RESPONSE)()
