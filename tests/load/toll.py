"""What the keys cost that all of a fleet share: they grow with sessions and workers multiplied.

sweep   each worker, each second: every session's name and meta
watch   each worker and each gateway, ten times a second: every worker's beat
beat    each worker, ten times a second: its own
ring    each worker (or gateway) hears of every session that was written to
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from redis.asyncio import Redis

from shared import local_redis as redis_server
from shared.log import wakeups
from shared.log.registry import Registry
from shared.log.session_log import SessionLog, connect
from shared.log.wakeups import WakeupListener
from tests.conftest import free_port
from tests.load.cores import Cores, cpu_ms
from tests.load.servers import environment, running
from tests.patience import wait_until

SESSIONS: Final = 1_000
WORKERS: Final = 100
RINGS: Final = 300
NAMES_A_RING: Final = 8  # sessions that one pipeline writes to, at some hundred callers
STATUS: Final = {"beat": 1, "slots": 64, "free": 7, "engine": "hybrid", "step_ms": 51.31}


@dataclass(frozen=True, slots=True)
class Toll:
    """us of CPU: Redis', and that of the process that asks."""

    sweep_redis: float  # a session
    sweep_worker: float
    watch_redis: float  # a worker seen
    watch_worker: float
    beat_redis: float  # a beat
    beat_worker: float
    ring_redis: float  # a session named, to one who hears it
    ring_worker: float


class Meter:
    """CPU us of Redis and of this process for some work."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    async def of(self, work: Callable[[], Awaitable[Any]], repeats: int) -> tuple[float, float]:
        """One piece of work, the mean: (Redis, here)."""
        await work()
        redis, here = cpu_ms(self._pid), time.process_time()
        for _ in range(repeats):
            await work()
        found = cpu_ms(self._pid) - redis, (time.process_time() - here) * 1_000
        return found[0] * 1_000 / repeats, found[1] * 1_000 / repeats


async def _toll(redis: Redis, pid: int) -> Toll:
    log, registry, meter = SessionLog(redis), Registry(redis), Meter(pid)
    for number in range(SESSIONS):
        sid = f"{number:032x}"
        await log.open(sid, "gateway", "nonce", "0" * 64, {"mode": "turn", "seed": number})
        await registry.announce(sid)
    for number in range(WORKERS):
        await registry.publish_worker(f"worker-{number}", STATUS)

    async def sweep() -> None:
        await log.metas(await registry.sessions())

    async def ring() -> None:
        names = [f"{n:032x}" for n in range(NAMES_A_RING)]
        for _ in range(RINGS):
            _, channel, said = wakeups.publish_command(wakeups.INPUTS, names)
            await redis.publish(channel, said)

    swept = await meter.of(sweep, 10)
    watched = await meter.of(registry.workers, 30)
    beat = await meter.of(lambda: registry.publish_worker("worker-0", STATUS), 100)
    alone = await meter.of(ring, 1)
    heard = await _heard(redis, meter, ring, alone)
    sweep_redis, sweep_worker = (us / SESSIONS for us in swept)
    watch_redis, watch_worker = (us / WORKERS for us in watched)
    return Toll(sweep_redis, sweep_worker, watch_redis, watch_worker, *beat, *heard)


async def _heard(
    redis: Redis, meter: Meter, ring: Callable[[], Awaitable[None]], alone: tuple[float, float]
) -> tuple[float, float]:
    """A ring's further cost when one listens, a session named."""
    listener = WakeupListener(redis, wakeups.INPUTS)
    listening = asyncio.create_task(listener.run())
    while not listener.subscribed:  # noqa: ASYNC110 # the listener has no event for it
        await asyncio.sleep(0.01)
    told = await meter.of(ring, 1)
    listener.stop()
    await listening
    named = RINGS * NAMES_A_RING
    return max(0.0, told[0] - alone[0]) / named, max(0.0, told[1] - alone[1]) / named


async def _with(url: str, pid: int) -> Toll:
    redis = connect(url)
    try:
        return await _toll(redis, pid)
    finally:
        await redis.aclose()


def measure(cores: Cores) -> Toll:
    """On a Redis of its own."""
    with tempfile.TemporaryDirectory() as folder:
        port, log = free_port(), Path(folder) / "redis.log"
        line = redis_server.command(port, Path(folder))
        with running(line, cores.server, log, environment()) as pid:
            url = f"redis://127.0.0.1:{port}/0"
            wait_until(lambda: redis_server.answers(url), log.read_text)
            return asyncio.run(_with(url, pid))
