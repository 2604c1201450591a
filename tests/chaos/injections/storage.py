"""Faults of Redis: it dies, forgets, freezes, is full; it fails over, and its slots move."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from tests.chaos.caller import Caller
from tests.chaos.deployment import Deployment
from tests.chaos.proxy import Proxy
from tests.chaos.redis_cluster import RedisCluster
from tests.chaos.redis_server import ProxiedRedis, SmallDiskRedis
from tests.chaos.sentinels import SentinelRedis

LOST_REPLIES: Final = 12
CUT_REPLIES: Final = 6
TAIL_S: Final = 0.6  # `appendfsync everysec` may lose it, and the callers' rings still hold it
FULL_S: Final = 1.5
MOVED_SESSIONS: Final = 3

Inject = Callable[[Deployment, Sequence[Caller], random.Random], Awaitable[None]]


async def kill(deployment: Deployment, _: Sequence[Caller], __: random.Random) -> None:
    """Kill Redis (SIGKILL) and start it again with its append-only file."""
    await asyncio.to_thread(deployment.redis.kill)
    await asyncio.sleep(0.3)
    await asyncio.to_thread(deployment.redis.start)


async def cut_tail(deployment: Deployment, _: Sequence[Caller], __: random.Random) -> None:
    """Crash the machine: what Redis has written but not synced is gone."""
    size = deployment.redis.log_bytes()
    await asyncio.sleep(TAIL_S)
    await asyncio.to_thread(deployment.redis.kill)
    deployment.redis.cut(size)
    await asyncio.to_thread(deployment.redis.start)


async def flush_all(deployment: Deployment, _: Sequence[Caller], __: random.Random) -> None:
    """Delete all keys with FLUSHALL."""
    await asyncio.to_thread(deployment.redis.client.flushall)


def pause(seconds: float) -> Inject:
    """Let Redis answer no command for so many seconds."""

    async def inject(deployment: Deployment, _: Sequence[Caller], __: random.Random) -> None:
        command = ("CLIENT PAUSE", round(seconds * 1_000), "ALL")
        await asyncio.to_thread(deployment.redis.client.execute_command, *command)
        await asyncio.sleep(seconds)

    return inject


async def fill_memory(deployment: Deployment, _: Sequence[Caller], __: random.Random) -> None:
    """Allow Redis not one more byte: it must not acknowledge what it does not store."""
    client = deployment.redis.client
    await asyncio.to_thread(client.config_set, "maxmemory", 1)
    await asyncio.sleep(FULL_S)
    await asyncio.to_thread(client.config_set, "maxmemory", 0)


async def fill_disk(deployment: Deployment, _: Sequence[Caller], __: random.Random) -> None:
    """Fill the disk of the append-only file, then make room; nothing else repairs it."""
    redis = deployment.redis
    assert isinstance(redis, SmallDiskRedis)
    await asyncio.to_thread(redis.fill)
    await asyncio.sleep(FULL_S)
    refused = redis.client.info("persistence")["aof_last_write_status"] != "ok"
    redis.drain()
    if not refused:
        raise RuntimeError("Expected writes to be refused on a full disk, got none")
    await asyncio.sleep(1)


async def lose_replies(deployment: Deployment, _: Sequence[Caller], rng: random.Random) -> None:
    """Run scripts and end the connection before their replies arrive."""
    proxy = _proxy(deployment)
    before = proxy.dropped
    for _reply in range(LOST_REPLIES):
        proxy.impairments.replies_to_drop += 1
        await asyncio.sleep(rng.uniform(0.05, 0.25))
    await asyncio.sleep(0.3)
    proxy.impairments.replies_to_drop = 0
    if proxy.dropped == before:
        raise RuntimeError("Expected lost replies, got none: no process writes")


async def cut_replies(deployment: Deployment, _: Sequence[Caller], rng: random.Random) -> None:
    """Reset connections to Redis in the middle of a reply."""
    proxy = _proxy(deployment)
    before = proxy.cut
    for _reply in range(CUT_REPLIES):
        proxy.impairments.replies_to_cut += 1
        await asyncio.sleep(rng.uniform(0.05, 0.4))
    proxy.impairments.replies_to_cut = 0
    if proxy.cut == before:
        raise RuntimeError("Expected cut replies, got none: no process reads")


async def send_byte_by_byte(deployment: Deployment, _: Sequence[Caller], __: random.Random) -> None:
    """Send messages between Redis and its clients byte by byte."""
    impairments = _proxy(deployment).impairments
    impairments.byte_by_byte = True
    await asyncio.sleep(1)
    impairments.byte_by_byte = False


async def fail_over(deployment: Deployment, _: Sequence[Caller], __: random.Random) -> None:
    """Kill the primary (SIGKILL): the sentinels promote its replica."""
    redis = deployment.storage
    assert isinstance(redis, SentinelRedis)
    victim = await asyncio.to_thread(redis.fail_over)
    await asyncio.to_thread(redis.heal, victim)


async def kill_node(deployment: Deployment, _: Sequence[Caller], rng: random.Random) -> None:
    """Kill one primary of a Cluster (SIGKILL): its replica takes over."""
    redis = deployment.storage
    assert isinstance(redis, RedisCluster)
    victim = rng.choice(redis.primaries())
    await asyncio.to_thread(victim.kill)
    await asyncio.to_thread(redis.heal, victim)


async def move_slots(deployment: Deployment, _: Sequence[Caller], rng: random.Random) -> None:
    """Rebalance a Cluster: the keys of some calls, and the queue, move to other nodes."""
    redis = deployment.storage
    assert isinstance(redis, RedisCluster)
    found = sorted(await asyncio.to_thread(lambda: list(redis.client.scan_iter("s:*:meta"))))
    sessions = rng.sample(found, min(MOVED_SESSIONS, len(found)))
    await asyncio.to_thread(redis.move, [*sessions, b"c:queue", b"c:sessions"])


def _proxy(deployment: Deployment) -> Proxy:
    redis = deployment.redis
    assert isinstance(redis, ProxiedRedis)
    return redis.proxy
