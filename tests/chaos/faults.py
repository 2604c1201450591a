"""What goes wrong, one function each, and what it may cost a caller."""

import asyncio
import math
import random
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from tests.chaos.caller import CHUNK_S, Caller
from tests.chaos.cluster import Cluster
from tests.chaos.oracle import Voice

Strike = Callable[[Cluster, Sequence[Caller], random.Random], Awaitable[None]]

EVERYBODY: Final = math.inf
REPLACED_AFTER_S: Final = 1.5  # a supervisor starts a dead process anew
LOST_REPLIES: Final = 12
STALLED_READERS: Final = 50
STALLED_FOR_S: Final = 25.0  # 5 s of backlog, what the sockets buffer, 10 s to close
POISON_LOOKS: Final = 300
TAIL_S: Final = 0.6  # what `appendfsync everysec` may lose, and not more than the rings hold


@dataclass(frozen=True, slots=True)
class Fault:
    """What may be lost to it: sessions that end with a reason (at most `told`), and whether frames
    may be reported as gone (`skips`). `mortal`: needs engines that die of poison.
    """

    strike: Strike
    core: bool = False
    mortal: bool = False
    told: float = 0
    skips: bool = False
    resume_p95_s: float | None = None  # of the longest silence that a caller heard


async def _kill_worker(cluster: Cluster, _: Sequence[Caller], __: random.Random) -> None:
    victim = cluster.loaded_worker()
    await asyncio.to_thread(victim.kill)
    cluster.workers.remove(victim)
    await asyncio.sleep(REPLACED_AFTER_S)
    await asyncio.to_thread(cluster.start_worker)


async def _kill_gateway(cluster: Cluster, _: Sequence[Caller], rng: random.Random) -> None:
    port = rng.choice(cluster.ports)
    await asyncio.to_thread(cluster.gateways[port].kill)
    await asyncio.sleep(REPLACED_AFTER_S)
    await asyncio.to_thread(cluster.start_gateway, port)


async def _stop_worker(cluster: Cluster, _: Sequence[Caller], __: random.Random) -> None:
    """It sleeps for ten leases and then goes on writing, as if nothing had happened."""
    victim = cluster.loaded_worker()
    victim.signal(signal.SIGSTOP)
    await asyncio.sleep(10)
    victim.signal(signal.SIGCONT)
    await asyncio.sleep(1)


async def _roll(cluster: Cluster, _: Sequence[Caller], __: random.Random) -> None:
    """A deployment in the middle of the day: a new one first, then SIGTERM to an old one."""
    for old in list(cluster.workers):
        await asyncio.to_thread(cluster.start_worker)
        await asyncio.to_thread(old.terminate, 10)
        cluster.workers.remove(old)
    for port in cluster.ports:
        await asyncio.to_thread(cluster.gateways[port].terminate, 15)
        await asyncio.to_thread(cluster.start_gateway, port)


async def _kill_redis(cluster: Cluster, _: Sequence[Caller], __: random.Random) -> None:
    await asyncio.to_thread(cluster.store.kill)
    await asyncio.sleep(0.3)
    await asyncio.to_thread(cluster.store.start)


async def _cut_redis(cluster: Cluster, _: Sequence[Caller], __: random.Random) -> None:
    """A machine crash: what was written but not yet synced is gone."""
    size = cluster.store.log_bytes()
    await asyncio.sleep(TAIL_S)
    await asyncio.to_thread(cluster.store.kill)
    cluster.store.cut(size)
    await asyncio.to_thread(cluster.store.start)


async def _lose_replies(cluster: Cluster, _: Sequence[Caller], rng: random.Random) -> None:
    before = cluster.proxy.dropped
    for _reply in range(LOST_REPLIES):
        cluster.proxy.to_drop += 1
        await asyncio.sleep(rng.uniform(0.05, 0.3))
    await asyncio.sleep(0.5)
    cluster.proxy.to_drop = 0
    if cluster.proxy.dropped == before:
        raise RuntimeError("Expected replies to be lost, got none: nobody writes")


async def _flush_all(cluster: Cluster, _: Sequence[Caller], __: random.Random) -> None:
    await asyncio.to_thread(cluster.store.client.flushall)


def _pause(seconds: float) -> Strike:
    async def strike(cluster: Cluster, _: Sequence[Caller], __: random.Random) -> None:
        await asyncio.to_thread(
            cluster.store.client.execute_command, "CLIENT", "PAUSE", round(seconds * 1_000), "ALL"
        )
        await asyncio.sleep(seconds)

    return strike


async def _fill_redis(cluster: Cluster, _: Sequence[Caller], __: random.Random) -> None:
    """No memory for one more byte: what is not stored must not be acknowledged."""
    client = cluster.store.client
    await asyncio.to_thread(client.config_set, "maxmemory", 1)
    await asyncio.sleep(1.5)
    await asyncio.to_thread(client.config_set, "maxmemory", 0)


async def _half_open(_: Cluster, callers: Sequence[Caller], __: random.Random) -> None:
    """The callers' network changes: the gateways still hold sockets that nobody closes."""
    for _round in range(5):
        for caller in callers:
            caller.abandon()
        await asyncio.sleep(0.7)


async def _stall(cluster: Cluster, callers: Sequence[Caller], _: random.Random) -> None:
    """Fifty callers speak on and stop reading: each costs only itself, and not for long."""
    urls = [cluster.urls[i % len(cluster.urls)] for i in range(STALLED_READERS)]
    readers = [asyncio.create_task(_read_nothing(url, i)) for i, url in enumerate(urls)]
    try:
        await asyncio.sleep(STALLED_FOR_S)
        stats = await asyncio.to_thread(cluster.stats)
    finally:
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
    if (here := sum(s["sessions"] for s in stats)) > len(callers):
        raise RuntimeError(f"Expected the stalled readers' sessions closed, got {here} sessions")


async def _read_nothing(url: str, number: int) -> None:
    voice, chunk = Voice(0, 7_000 + number), 0
    protocols = [Subprotocol("antiphon.v1")]
    socket = await connect(url, subprotocols=protocols, compression=None, ping_interval=None)
    try:
        await socket.send('{"type":"start","mode":"stream"}')
        await socket.recv()
        socket.transport.pause_reading()
        while True:
            await socket.send(voice.chunk(chunk))
            chunk += 1
            await asyncio.sleep(CHUNK_S)
    except (OSError, WebSocketException):
        pass
    finally:
        socket.transport.abort()
        await socket.wait_closed()


async def _poison(cluster: Cluster, callers: Sequence[Caller], _: random.Random) -> None:
    """One caller's words kill every process that hears them, until the call is given up."""
    callers[0].poison()
    for _look in range(POISON_LOOKS):
        await asyncio.sleep(0.1)
        await asyncio.to_thread(cluster.replace_dead_workers)
        if callers[0].calls[0].ledger.told:
            return
    raise RuntimeError("Expected the poisoned call to be given up, got none")


async def _reset(_: Cluster, callers: Sequence[Caller], rng: random.Random) -> None:
    for _round in range(5):
        for caller in rng.sample(list(callers), len(callers) // 2 or 1):
            caller.reset()
        await asyncio.sleep(rng.uniform(0.1, 0.7))


FAULTS: Final[Mapping[str, Fault]] = {
    "none": Fault(_pause(0.001)),
    "worker-kill": Fault(_kill_worker, core=True, resume_p95_s=1.5),
    "gateway-kill": Fault(_kill_gateway, core=True, resume_p95_s=1.0),
    "worker-stop": Fault(_stop_worker, core=True, resume_p95_s=1.5),
    "rolling": Fault(_roll, core=True, resume_p95_s=0.5),
    "redis-kill": Fault(_kill_redis, core=True, resume_p95_s=5.0),
    "reply-lost": Fault(_lose_replies, core=True, resume_p95_s=0.5),
    "redis-tail": Fault(_cut_redis, told=EVERYBODY, skips=True, resume_p95_s=5.0),
    "flushall": Fault(_flush_all, told=EVERYBODY),
    "pause-0.5": Fault(_pause(0.5), resume_p95_s=1.0),
    "pause-2": Fault(_pause(2), resume_p95_s=4.0),
    "pause-10": Fault(_pause(10), resume_p95_s=13.0),
    "redis-full": Fault(_fill_redis, resume_p95_s=4.0),
    "half-open": Fault(_half_open, resume_p95_s=1.0),
    "reset": Fault(_reset, resume_p95_s=1.0),
    "stalled-readers": Fault(_stall),
    "poison": Fault(_poison, mortal=True, told=1),
}
# Which faults must show that a promise was taken out.
ABLATED_BY: Final[Mapping[str, str]] = {
    "fence": "half-open",
    "contiguity": "redis-tail",
    "ttl": "none",
}
