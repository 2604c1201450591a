"""A Cluster's client: the loss of a node is a RedisError."""

from collections.abc import Callable, Coroutine
from typing import Any
from unittest import mock

import pytest
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterPipeline
from redis.exceptions import ClusterDownError, OutOfMemoryError, ResponseError, SlotNotCoveredError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from shared.log.session_log import SessionLog
from shared.redis_client.pipeline import Pipe
from shared.redis_client.url import client

URL = "redis+cluster://one:7000"
# Errors that redis-py raised while nodes died and slots moved.
ODD = [
    AttributeError("'NoneType' object has no attribute 'writelines'"),
    RuntimeError("unable to perform operation on <TCPTransport closed=True>"),
    SlotNotCoveredError('Slot "7" is not covered by the cluster.'),
    ClusterDownError("The cluster is down"),
]

Call = Callable[[Redis], Coroutine[Any, Any, Any]]


async def alone(redis: Redis) -> None:
    await redis.llen("c:queue")


async def together(redis: Redis) -> None:
    await Pipe(redis).ask([("LLEN", "c:queue")])


async def meet(redis: Redis) -> None:
    await redis.initialize()


@pytest.mark.parametrize("error", ODD, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("call", [alone, together, meet], ids=lambda call: call.__name__)
async def test_a_lost_node_is_a_lost_connection(call: Call, error: Exception) -> None:
    redis = client(URL, timeout_s=1)
    with (
        mock.patch.object(RedisCluster, "execute_command", side_effect=error),
        mock.patch.object(RedisCluster, "initialize", side_effect=error),
        mock.patch.object(ClusterPipeline, "execute", side_effect=error),
        pytest.raises(RedisConnectionError, match=type(error).__name__) as raised,
    ):
        await call(redis)
    assert raised.value.__cause__ is error


@pytest.mark.parametrize("error", [*ODD, RedisConnectionError("gone"), RedisTimeoutError("late")])
async def test_a_read_from_a_lost_node_raises_a_redis_error(error: Exception) -> None:
    log = SessionLog(client(URL, timeout_s=1))
    with (
        mock.patch.object(RedisCluster, "initialize"),
        mock.patch.object(ClusterPipeline, "execute", return_value=[[], error]),
        pytest.raises((RedisConnectionError, RedisTimeoutError)),
    ):
        await log.read_outputs([("a", 0), ("b", 0)])


async def test_a_refusal_keeps_its_own_error() -> None:
    redis, refused = client(URL, timeout_s=1), OutOfMemoryError("maxmemory")
    with (
        mock.patch.object(RedisCluster, "initialize"),
        mock.patch.object(RedisCluster, "execute_command", side_effect=refused),
        pytest.raises(ResponseError) as raised,
    ):
        await redis.llen("c:queue")
    assert raised.value is refused


async def test_an_answer_of_one_node_survives_the_loss_of_another() -> None:
    redis = client(URL, timeout_s=1)
    with (
        mock.patch.object(RedisCluster, "initialize"),
        mock.patch.object(ClusterPipeline, "execute", return_value=[7, AttributeError("send")]),
    ):
        answer, lost = await Pipe(redis).ask([("LLEN", "a"), ("LLEN", "b")])
    assert answer == 7
    assert isinstance(lost, RedisConnectionError)
