"""Measure the cost of the keys that a whole fleet shares: it grows with sessions times workers.

sweep    every worker, each second: reads the name and meta of every session
watch    every worker and gateway, ten times a second: reads the beat of every worker
beat     every worker, ten times a second: publishes its own
wakeup   every worker (or gateway) receives the ids of all sessions with new records
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from redis.asyncio import Redis

from shared import local_redis
from shared.log import wakeups
from shared.log.registry import Registry
from shared.log.session_log import SessionLog, connect
from shared.log.wakeups import WakeupListener
from tests.load.cores import Cores, cpu_ms
from tests.load.servers import environment, running
from tests.patience import until, wait_until
from tests.ports import free_port

SESSIONS: Final = 1_000
WORKERS: Final = 100
WAKEUPS: Final = 300
IDS_A_WAKEUP: Final = 8  # sessions of one pipeline, at some hundred callers
STATUS: Final = {"beat": 1, "slots": 64, "free": 7, "engine": "hybrid", "step_ms": 51.31}


@dataclass(frozen=True, slots=True)
class SharedKeyCosts:
    """us of CPU time of Redis, and of the worker or gateway that asks."""

    sweep_redis: float  # for each session
    sweep_worker: float
    watch_redis: float  # for each worker's beat that is read
    watch_worker: float
    beat_redis: float  # for each beat
    beat_worker: float
    wakeup_redis: float  # for each session id, to each listener
    wakeup_worker: float


class Meter:
    """Measures the CPU time of Redis and of this process for some work, in us."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    async def of(self, work: Callable[[], Awaitable[Any]], repeats: int) -> tuple[float, float]:
        """The mean of one piece of work: (Redis, here)."""
        await work()
        redis, here = cpu_ms(self._pid), time.process_time()
        for _ in range(repeats):
            await work()
        found = cpu_ms(self._pid) - redis, (time.process_time() - here) * 1_000
        return found[0] * 1_000 / repeats, found[1] * 1_000 / repeats


async def _costs(redis: Redis, pid: int) -> SharedKeyCosts:
    log, registry, meter = SessionLog(redis), Registry(redis), Meter(pid)
    for number in range(SESSIONS):
        sid = f"{number:032x}"
        await log.open(sid, "gateway", "nonce", "0" * 64, {"mode": "turn", "seed": number})
        await registry.announce(sid)
    for number in range(WORKERS):
        await registry.publish_worker(f"worker-{number}", STATUS)

    async def sweep() -> None:
        await log.metas(await registry.sessions())

    async def publish() -> None:
        ids = [f"{n:032x}" for n in range(IDS_A_WAKEUP)]
        for _ in range(WAKEUPS):
            _, channel, message = wakeups.publish_command(wakeups.INPUTS, ids)
            await redis.publish(channel, message)

    swept = await meter.of(sweep, 10)
    watched = await meter.of(registry.workers, 30)
    beat = await meter.of(lambda: registry.publish_worker("worker-0", STATUS), 100)
    without_listener = await meter.of(publish, 1)
    received = await _received(redis, meter, publish, without_listener)
    sweep_redis, sweep_worker = (us / SESSIONS for us in swept)
    watch_redis, watch_worker = (us / WORKERS for us in watched)
    return SharedKeyCosts(sweep_redis, sweep_worker, watch_redis, watch_worker, *beat, *received)


async def _received(
    redis: Redis,
    meter: Meter,
    publish: Callable[[], Awaitable[None]],
    without_listener: tuple[float, float],
) -> tuple[float, float]:
    """The additional cost of one listener, for each session id."""
    listener = WakeupListener(redis, wakeups.INPUTS)
    listening = asyncio.create_task(listener.run())
    await until(lambda: listener.subscribed)
    measured = await meter.of(publish, 1)
    listener.stop()
    await listening
    ids = WAKEUPS * IDS_A_WAKEUP
    redis_us, here_us = (
        max(0.0, more - less) / ids for more, less in zip(measured, without_listener, strict=True)
    )
    return redis_us, here_us


async def _measure_at(url: str, pid: int) -> SharedKeyCosts:
    redis = connect(url)
    try:
        return await _costs(redis, pid)
    finally:
        await redis.aclose()


def measure(cores: Cores) -> SharedKeyCosts:
    """Measure on a Redis of its own."""
    with tempfile.TemporaryDirectory() as folder:
        port, log = free_port(), Path(folder) / "redis.log"
        line = local_redis.command(port, Path(folder))
        with running(line, cores.server, log, environment()) as pid:
            url = f"redis://127.0.0.1:{port}/0"
            wait_until(lambda: local_redis.trouble_at(url) is None, log.read_text)
            return asyncio.run(_measure_at(url, pid))
