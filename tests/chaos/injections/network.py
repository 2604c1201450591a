"""Faults of the callers' network: resets, single bytes, delay, silence without a close."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from typing import Final

from tests.chaos.caller import Caller
from tests.chaos.deployment import Deployment
from tests.chaos.injections.callers import SimpleCaller
from tests.chaos.network_namespace import NetworkNamespace

ROUNDS: Final = 4
CUTS: Final = 3
DELAY_S: Final = (0.1, 0.3)
DARK_CALLERS: Final = 6
NOTICED_WITHIN_S: Final = 30.0
LOOK_S: Final = 0.1


async def abandon_sockets(_: Deployment, callers: Sequence[Caller], __: random.Random) -> None:
    """Callers reconnect while the gateways still hold their old sockets, which stay open.

    Audio on the old sockets arrives late.
    """
    for _round in range(ROUNDS):
        for caller in callers:
            caller.abandon()
        await asyncio.sleep(0.6)


async def reset(_: Deployment, callers: Sequence[Caller], rng: random.Random) -> None:
    """Reset half of the callers' sockets, several times."""
    for _round in range(ROUNDS):
        for caller in rng.sample(list(callers), len(callers) // 2 or 1):
            caller.reset()
        await asyncio.sleep(rng.uniform(0.1, 0.6))


async def cut(deployment: Deployment, _: Sequence[Caller], rng: random.Random) -> None:
    """Reset sockets in the middle of a frame."""
    for _round in range(CUTS):
        for impairments in deployment.impairments:
            impairments.replies_to_cut += 2
        await asyncio.sleep(rng.uniform(0.2, 0.5))
    for impairments in deployment.impairments:
        impairments.replies_to_cut = 0


async def send_byte_by_byte(deployment: Deployment, _: Sequence[Caller], __: random.Random) -> None:
    """Send messages between callers and gateways byte by byte."""
    for impairments in deployment.impairments:
        impairments.byte_by_byte = True
    await asyncio.sleep(1.5)
    for impairments in deployment.impairments:
        impairments.byte_by_byte = False


async def nothing(_: Deployment, __: Sequence[Caller], ___: random.Random) -> None:
    """Inject nothing: the setup or the proxy's delay is the fault."""
    await asyncio.sleep(0.5)


async def go_dark(
    deployment: Deployment, callers: Sequence[Caller], _: random.Random
) -> dict[str, float]:
    """Drop all packets of six more callers in silence, both ways.

    Measures how long until the gateways notice, and until the workers' slots are free.
    """
    free = _free_slots(deployment)
    namespace = await asyncio.to_thread(NetworkNamespace)
    urls = deployment.urls_at(namespace.gateway)
    try:
        dark = [SimpleCaller(urls, number, namespace) for number in range(DARK_CALLERS)]
        await asyncio.gather(*(caller.begin() for caller in dark))
        # Half of them get a reply, the others get nothing.
        speaking = [asyncio.create_task(caller.speak()) for caller in dark[::2]]
        await asyncio.sleep(1)
        await asyncio.to_thread(namespace.go_dark)
        dark_at = time.monotonic()
        noticed_s = await _until(lambda: _sessions(deployment) <= len(callers), dark_at)
        freed_s = await _until(lambda: _free_slots(deployment) >= free, dark_at)
        for task in speaking:
            task.cancel()
        await asyncio.gather(*speaking, return_exceptions=True)
    finally:
        await asyncio.to_thread(namespace.close)
    return {"noticed s": noticed_s, "slots free s": freed_s}


async def _until(condition: Callable[[], bool], since: float) -> float:
    """The seconds until the condition is true, at most `NOTICED_WITHIN_S`."""
    while time.monotonic() - since < NOTICED_WITHIN_S:
        if await asyncio.to_thread(condition):
            break
        await asyncio.sleep(LOOK_S)
    return time.monotonic() - since


def _sessions(deployment: Deployment) -> int:
    return sum(s["sessions"] for s in deployment.stats())


def _free_slots(deployment: Deployment) -> int:
    return int(max(s["free"] for s in deployment.stats()))
