"""What networks do to callers: resets, crumbs, delay, silence without a goodbye."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from typing import Final

from tests.chaos.caller import Caller
from tests.chaos.cluster import Cluster
from tests.chaos.island import Island
from tests.chaos.strikes.crowd import Quiet

ROUNDS: Final = 4
CUTS: Final = 3
DELAY_S: Final = (0.1, 0.3)
ISLANDERS: Final = 6
NOTICED_WITHIN_S: Final = 30.0
LOOK_S: Final = 0.1


async def leave_sockets(_: Cluster, callers: Sequence[Caller], __: random.Random) -> None:
    """Callers come back while the gateways still hold their old sockets, which nobody closes; what
    was under way on these arrives late.
    """
    for _round in range(ROUNDS):
        for caller in callers:
            caller.abandon()
        await asyncio.sleep(0.6)


async def reset(_: Cluster, callers: Sequence[Caller], rng: random.Random) -> None:
    """Sockets end with a reset."""
    for _round in range(ROUNDS):
        for caller in rng.sample(list(callers), len(callers) // 2 or 1):
            caller.reset()
        await asyncio.sleep(rng.uniform(0.1, 0.6))


async def cut(cluster: Cluster, _: Sequence[Caller], rng: random.Random) -> None:
    """Sockets end with a reset in the middle of a frame."""
    for _round in range(CUTS):
        for weather in cluster.weathers:
            weather.to_cut += 2
        await asyncio.sleep(rng.uniform(0.2, 0.5))
    for weather in cluster.weathers:
        weather.to_cut = 0


async def crumble(cluster: Cluster, _: Sequence[Caller], __: random.Random) -> None:
    """Between callers and gateways messages arrive byte by byte."""
    for weather in cluster.weathers:
        weather.crumbs = True
    await asyncio.sleep(1.5)
    for weather in cluster.weathers:
        weather.crumbs = False


async def nothing(_: Cluster, __: Sequence[Caller], ___: random.Random) -> None:
    """What is tested is there all the time."""
    await asyncio.sleep(0.5)


async def go_dark(
    cluster: Cluster, callers: Sequence[Caller], _: random.Random
) -> dict[str, float]:
    """Callers' packets stop, both ways, and nobody says so: how long until it is noticed, and
    until the workers' slots are free.
    """
    free = _free(cluster)
    island = await asyncio.to_thread(Island)
    try:
        people = [Quiet(cluster.urls_at(island.gateway), n, island) for n in range(ISLANDERS)]
        await asyncio.gather(*(person.begin() for person in people))
        # Half of them listen to a reply, the others to nothing.
        speaking = [asyncio.create_task(person.speak()) for person in people[::2]]
        await asyncio.sleep(1)
        await asyncio.to_thread(island.go_dark)
        dark_at = time.monotonic()
        noticed = await _until(lambda: _here(cluster) <= len(callers), dark_at)
        freed = await _until(lambda: _free(cluster) >= free, dark_at)
        for task in speaking:
            task.cancel()
        await asyncio.gather(*speaking, return_exceptions=True)
    finally:
        await asyncio.to_thread(island.close)
    return {"noticed s": noticed, "slots free s": freed}


async def _until(true: Callable[[], bool], since: float) -> float:
    """Seconds until it is true, looking for some time only."""
    while time.monotonic() - since < NOTICED_WITHIN_S:
        if await asyncio.to_thread(true):
            break
        await asyncio.sleep(LOOK_S)
    return time.monotonic() - since


def _here(cluster: Cluster) -> int:
    return sum(s["sessions"] for s in cluster.stats())


def _free(cluster: Cluster) -> int:
    return int(max(s["free"] for s in cluster.stats()))
