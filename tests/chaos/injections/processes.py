"""Faults of processes: they die, freeze, leave, or run under a clock that jumps."""

import asyncio
import random
import signal
from collections.abc import Sequence
from typing import Final

from tests.chaos.caller import Caller
from tests.chaos.deployment import Deployment
from tests.patience import until

REPLACED_AFTER_S: Final = 1.2  # a supervisor restarts a dead process
FROZEN_S: Final = 10.0
HOUR_S: Final = 3_600
# Redis' own clock decides when keys expire: it must jump by less than their TTL.
LONG_LIVED: Final = {"SESSION_TTL_S": str(4 * HOUR_S)}


async def kill_worker(deployment: Deployment, _: Sequence[Caller], __: random.Random) -> None:
    """Kill the worker with the most calls (SIGKILL)."""
    victim = deployment.loaded_worker()
    await asyncio.to_thread(victim.kill)
    deployment.workers.remove(victim)
    await asyncio.sleep(REPLACED_AFTER_S)
    await asyncio.to_thread(deployment.start_worker)


async def kill_gateway(deployment: Deployment, _: Sequence[Caller], rng: random.Random) -> None:
    """Kill a gateway (SIGKILL)."""
    port = rng.choice(deployment.ports)
    await asyncio.to_thread(deployment.gateways[port].kill)
    await asyncio.sleep(REPLACED_AFTER_S)
    await asyncio.to_thread(deployment.start_gateway, port)


async def stop_worker(deployment: Deployment, _: Sequence[Caller], __: random.Random) -> None:
    """Freeze a worker for ten leases; then it goes on writing, unaware."""
    victim = deployment.loaded_worker()
    victim.signal(signal.SIGSTOP)
    await asyncio.sleep(FROZEN_S)
    victim.signal(signal.SIGCONT)
    await asyncio.sleep(0.5)


async def roll(deployment: Deployment, _: Sequence[Caller], __: random.Random) -> None:
    """Deploy under load: start a new worker first, then end an old one with SIGTERM."""
    for old in list(deployment.workers):
        await asyncio.to_thread(deployment.start_worker)
        await asyncio.to_thread(old.terminate)
        deployment.workers.remove(old)
    for port in deployment.ports:
        await asyncio.to_thread(deployment.gateways[port].terminate)
        await asyncio.to_thread(deployment.start_gateway, port)


async def poison(deployment: Deployment, callers: Sequence[Caller], _: random.Random) -> None:
    """One caller's audio kills every worker that hears it, until the server ends the call."""
    callers[0].poison()

    async def ended() -> bool:
        await asyncio.to_thread(deployment.replace_dead_workers)
        return bool(callers[0].calls[0].ledger.ended_by)

    await until(ended, lambda: "a poisoned call that goes on")


async def shift_clocks(
    deployment: Deployment, callers: Sequence[Caller], rng: random.Random
) -> None:
    """Shift wall clocks by +1 h and -2 h, Redis' too; then kill a worker."""
    assert deployment.clocks is not None
    # The order differs between repetitions, and neighbouring processes get different times.
    shifts_s = [HOUR_S, -2 * HOUR_S]
    rng.shuffle(shifts_s)
    names = ["redis", *(process.log.stem for process in deployment.processes)]
    for number, name in enumerate(names):
        deployment.clocks.shift(name, shifts_s[number % 2])
    await asyncio.sleep(0.5)
    await kill_worker(deployment, callers, rng)
