"""Pipelines on connections that redis-py opened and we use."""

import asyncio

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from shared.redis_client.pipeline import MAX_IDLE, Pipe, subscribed
from shared.redis_client.url import client
from tests.patience import until

SHORT_S = 0.5  # and yet time for an answer on a busy machine


async def test_answers_come_in_order_with_a_refusal_among_them(any_redis: Redis) -> None:
    bump, missing = ("INCR", "c:a"), ("EVALSHA", "0" * 40, 0)
    asked = [bump, missing, bump, ("HGET", "c:a", "x"), ("EXPIRE", "c:a", 60)]
    found = await Pipe(any_redis).ask(asked)
    first, unknown, second, wrong, _ = found
    assert (first, second) == (1, 2)
    assert isinstance(unknown, NoScriptError)
    assert isinstance(wrong, ResponseError)
    assert await Pipe(any_redis).ask([]) == []


async def test_answers_larger_than_any_buffer_come_whole(any_redis: Redis) -> None:
    pipe, large = Pipe(any_redis), [bytes([n]) * 300_000 for n in range(8)]
    await pipe.ask([("SET", f"c:{n}", data, "EX", 60) for n, data in enumerate(large)])
    assert await pipe.ask([("GET", f"c:{n}") for n in range(8)]) == large


async def test_pipelines_that_overlap_do_not_mix(any_redis: Redis) -> None:
    pipe = Pipe(any_redis)
    trips = [pipe.ask([("ECHO", f"{n}.{i}") for i in range(20)]) for n in range(6)]
    found = await asyncio.gather(*trips)
    assert found == [[f"{n}.{i}".encode() for i in range(20)] for n in range(6)]


async def test_a_rush_of_pipelines_is_served_and_leaves_few_connections(any_redis_url: str) -> None:
    redis = client(any_redis_url, timeout_s=20)
    pipe = Pipe(redis)
    found = await asyncio.gather(*[pipe.ask([("ECHO", f"{n}")]) for n in range(150)])
    assert found == [[f"{n}".encode()] for n in range(150)]
    assert len(pipe._idle) <= MAX_IDLE
    await redis.aclose()


async def test_a_connection_that_redis_closes_is_not_used_again(any_redis: Redis) -> None:
    pipe = Pipe(any_redis)
    (number,) = await pipe.ask([("CLIENT", "ID")])
    await any_redis.client_kill_filter(_id=number)
    await until(lambda: all(connection.lost for connection in pipe._idle))
    (another,) = await pipe.ask([("CLIENT", "ID")])
    assert another != number


async def test_a_connection_that_is_lost_ends_its_pipeline(any_redis: Redis) -> None:
    pipe = Pipe(any_redis)
    (number,) = await pipe.ask([("CLIENT", "ID")])
    waiting = asyncio.create_task(pipe.ask([("BLPOP", "c:none", 0)]))
    await until(lambda: is_blocked(any_redis))
    await any_redis.client_kill_filter(_id=number)
    with pytest.raises(RedisConnectionError):
        await waiting
    assert await pipe.ask([("ECHO", "again")]) == [b"again"]


async def test_a_late_answer_does_not_reach_the_next_pipeline(any_redis_url: str) -> None:
    redis = client(any_redis_url, timeout_s=SHORT_S)
    pipe = Pipe(redis)
    with pytest.raises(RedisTimeoutError):
        await pipe.ask([("BLPOP", "c:none", 3 * SHORT_S)])
    assert await pipe.ask([("ECHO", "next")]) == [b"next"]
    await redis.aclose()


async def test_a_cancelled_pipeline_leaves_nothing_for_the_next(any_redis: Redis) -> None:
    pipe = Pipe(any_redis)
    waiting = asyncio.create_task(pipe.ask([("BLPOP", "c:none", 0), ("ECHO", "old")]))
    await until(lambda: is_blocked(any_redis))
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await pipe.ask([("ECHO", "new")]) == [b"new"]


async def test_a_subscriber_receives_what_is_published_from_then_on(any_redis: Redis) -> None:
    async with subscribed(any_redis, "c:bell") as received:
        for word in ("one", "two"):
            await any_redis.publish("c:bell", word)
        assert [await anext(received), await anext(received)] == [b"one", b"two"]


async def is_blocked(redis: Redis) -> bool:
    """Whether a client waits in a blocking command."""
    return any("b" in client["flags"] for client in await redis.client_list())
