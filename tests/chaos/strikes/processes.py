"""Processes that die, sleep, leave, or live under a clock that jumps."""

import asyncio
import random
import signal
from collections.abc import Sequence
from typing import Final

from tests.chaos.caller import Caller
from tests.chaos.cluster import Cluster

REPLACED_AFTER_S: Final = 1.2  # a supervisor starts a dead process anew
ASLEEP_S: Final = 10.0
POISON_LOOKS: Final = 300
HOUR_S: Final = 3_600
# Redis' own clock decides when keys expire: it may jump by less than what they live.
LONG_LIVED: Final = {"SESSION_TTL_S": str(4 * HOUR_S)}


async def kill_worker(cluster: Cluster, _: Sequence[Caller], __: random.Random) -> None:
    """kill -9 of the worker with the most calls."""
    victim = cluster.loaded_worker()
    await asyncio.to_thread(victim.kill)
    cluster.workers.remove(victim)
    await asyncio.sleep(REPLACED_AFTER_S)
    await asyncio.to_thread(cluster.start_worker)


async def kill_gateway(cluster: Cluster, _: Sequence[Caller], rng: random.Random) -> None:
    """kill -9 of a gateway."""
    port = rng.choice(cluster.ports)
    await asyncio.to_thread(cluster.gateways[port].kill)
    await asyncio.sleep(REPLACED_AFTER_S)
    await asyncio.to_thread(cluster.start_gateway, port)


async def stop_worker(cluster: Cluster, _: Sequence[Caller], __: random.Random) -> None:
    """It sleeps for ten leases and then goes on writing, as if nothing had happened."""
    victim = cluster.loaded_worker()
    victim.signal(signal.SIGSTOP)
    await asyncio.sleep(ASLEEP_S)
    victim.signal(signal.SIGCONT)
    await asyncio.sleep(0.5)


async def roll(cluster: Cluster, _: Sequence[Caller], __: random.Random) -> None:
    """A deployment in the middle of the day: a new one first, then SIGTERM to an old one."""
    for old in list(cluster.workers):
        await asyncio.to_thread(cluster.start_worker)
        await asyncio.to_thread(old.terminate, 10)
        cluster.workers.remove(old)
    for port in cluster.ports:
        await asyncio.to_thread(cluster.gateways[port].terminate, 15)
        await asyncio.to_thread(cluster.start_gateway, port)


async def poison(cluster: Cluster, callers: Sequence[Caller], _: random.Random) -> None:
    """One caller's words kill every process that hears them, until the call is given up."""
    callers[0].poison()
    for _look in range(POISON_LOOKS):
        await asyncio.sleep(0.1)
        await asyncio.to_thread(cluster.replace_dead_workers)
        if callers[0].calls[0].ledger.told:
            return
    raise RuntimeError("Expected the poisoned call to be given up, got none")


async def shift_clocks(cluster: Cluster, callers: Sequence[Caller], rng: random.Random) -> None:
    """Wall clocks jump by +1 h and -2 h, Redis' too; then a worker dies among them."""
    assert cluster.clocks is not None
    # To be different at each repetition, and to leave no two processes with one time.
    shifts = [HOUR_S, -2 * HOUR_S]
    rng.shuffle(shifts)
    names = ["redis", *(process.log.stem for process in cluster.processes)]
    for number, name in enumerate(names):
        cluster.clocks.shift(name, shifts[number % 2])
    await asyncio.sleep(0.5)
    await kill_worker(cluster, callers, rng)
