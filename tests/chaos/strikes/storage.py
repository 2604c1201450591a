"""Redis dies, forgets, stands still, is full; it fails over, and its slots move."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from tests.chaos.caller import Caller
from tests.chaos.cluster import Cluster
from tests.chaos.proxy import Proxy
from tests.chaos.sentinels import Watched
from tests.chaos.shards import Shards
from tests.chaos.store import Proxied, SmallDisk

LOST_REPLIES: Final = 12
CUT_REPLIES: Final = 6
TAIL_S: Final = 0.6  # what `appendfsync everysec` may lose, and not more than the rings hold
FULL_S: Final = 1.5
FEW_SESSIONS: Final = 3

Strike = Callable[[Cluster, Sequence[Caller], random.Random], Awaitable[None]]


async def kill(cluster: Cluster, _: Sequence[Caller], __: random.Random) -> None:
    """kill -9; it comes back with its append-only file."""
    await asyncio.to_thread(cluster.store.kill)
    await asyncio.sleep(0.3)
    await asyncio.to_thread(cluster.store.start)


async def cut_tail(cluster: Cluster, _: Sequence[Caller], __: random.Random) -> None:
    """A machine crash: what was written but not yet synced is gone."""
    size = cluster.store.log_bytes()
    await asyncio.sleep(TAIL_S)
    await asyncio.to_thread(cluster.store.kill)
    cluster.store.cut(size)
    await asyncio.to_thread(cluster.store.start)


async def flush_all(cluster: Cluster, _: Sequence[Caller], __: random.Random) -> None:
    """FLUSHALL."""
    await asyncio.to_thread(cluster.store.client.flushall)


def pause(seconds: float) -> Strike:
    """Redis takes commands and answers none for so long."""

    async def strike(cluster: Cluster, _: Sequence[Caller], __: random.Random) -> None:
        wish = ("CLIENT PAUSE", round(seconds * 1_000), "ALL")
        await asyncio.to_thread(cluster.store.client.execute_command, *wish)
        await asyncio.sleep(seconds)

    return strike


async def no_memory(cluster: Cluster, _: Sequence[Caller], __: random.Random) -> None:
    """Not one more byte: what is not stored must not be acknowledged."""
    client = cluster.store.client
    await asyncio.to_thread(client.config_set, "maxmemory", 1)
    await asyncio.sleep(FULL_S)
    await asyncio.to_thread(client.config_set, "maxmemory", 0)


async def no_disk(cluster: Cluster, _: Sequence[Caller], __: random.Random) -> None:
    """The append-only file cannot grow; then it can again, and nobody has to lift a finger."""
    store = cluster.store
    assert isinstance(store, SmallDisk)
    await asyncio.to_thread(store.fill)
    await asyncio.sleep(FULL_S)
    refused = int(store.client.info("persistence")["aof_last_write_status"] != "ok")
    store.drain()
    if not refused:
        raise RuntimeError("Expected writes to be refused on a full disk, got none")
    await asyncio.sleep(1)


async def lose_replies(cluster: Cluster, _: Sequence[Caller], rng: random.Random) -> None:
    """Scripts run, and the connection ends before their answers are heard."""
    proxy = _proxy(cluster)
    before = proxy.dropped
    for _reply in range(LOST_REPLIES):
        proxy.weather.to_drop += 1
        await asyncio.sleep(rng.uniform(0.05, 0.25))
    await asyncio.sleep(0.3)
    proxy.weather.to_drop = 0
    if proxy.dropped == before:
        raise RuntimeError("Expected replies to be lost, got none: nobody writes")


async def cut_replies(cluster: Cluster, _: Sequence[Caller], rng: random.Random) -> None:
    """Connections to Redis are reset in the middle of an answer."""
    proxy = _proxy(cluster)
    before = proxy.cut
    for _reply in range(CUT_REPLIES):
        proxy.weather.to_cut += 1
        await asyncio.sleep(rng.uniform(0.05, 0.4))
    proxy.weather.to_cut = 0
    if proxy.cut == before:
        raise RuntimeError("Expected answers to be cut, got none: nobody reads")


async def crumble(cluster: Cluster, _: Sequence[Caller], __: random.Random) -> None:
    """Between Redis and its clients messages arrive byte by byte."""
    weather = _proxy(cluster).weather
    weather.crumbs = True
    await asyncio.sleep(1)
    weather.crumbs = False


async def fail_over(cluster: Cluster, _: Sequence[Caller], __: random.Random) -> None:
    """kill -9 of the primary: the sentinels make its replica the primary."""
    watched = cluster.keeper
    assert isinstance(watched, Watched)
    victim = await asyncio.to_thread(watched.fail_over)
    await asyncio.to_thread(watched.heal, victim)


async def kill_node(cluster: Cluster, _: Sequence[Caller], rng: random.Random) -> None:
    """kill -9 of one of a Cluster's primaries: its replica takes over."""
    shards = cluster.keeper
    assert isinstance(shards, Shards)
    victim = rng.choice(shards.primaries())
    await asyncio.to_thread(victim.kill)
    await asyncio.to_thread(shards.heal, victim)


async def move_slots(cluster: Cluster, _: Sequence[Caller], rng: random.Random) -> None:
    """A Cluster is rebalanced: some calls' keys, and the queue's, move to other nodes."""
    shards = cluster.keeper
    assert isinstance(shards, Shards)
    found = sorted(await asyncio.to_thread(lambda: list(shards.client.scan_iter("s:*:meta"))))
    chosen = [*rng.sample(found, min(FEW_SESSIONS, len(found))), b"c:queue", b"c:sessions"]
    await asyncio.to_thread(shards.move, chosen)


def _proxy(cluster: Cluster) -> Proxy:
    store = cluster.store
    assert isinstance(store, Proxied)
    return store.proxy
