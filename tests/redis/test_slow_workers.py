"""A worker whose steps take longer than the lease, on a real Redis: it keeps its calls."""

import time
from collections.abc import Sequence

import pytest
from redis.asyncio import Redis

from tests.patience import until
from tests.redis.caller import Caller
from tests.redis.test_runtime import make_worker, working
from tests.sounds import joined, noise
from workers.engines.base import Output, Work
from workers.engines.echo import EchoEngine

pytestmark = pytest.mark.redis

LEASE_MS = 900
STEP_S = 1.2


class SlowEngine(EchoEngine):
    """Its steps take as long as on a machine that has other work."""

    def step(self, batch: Sequence[Work]) -> list[Output]:
        """Echo, late."""
        time.sleep(STEP_S)
        return super().step(batch)


async def shows_its_steps(caller: Caller) -> bool:
    status = (await caller.registry.workers()).get("w1", {})
    return bool(status.get("slowest_step_ms", 0) >= STEP_S * 1_000)


async def test_no_worker_takes_the_calls_of_one_that_is_only_slow(redis_client: Redis) -> None:
    caller, chunks = Caller(redis_client), noise(4)
    slow = make_worker(redis_client, "w1", SlowEngine(8), lease_ms=LEASE_MS)
    other = make_worker(redis_client, "w2", lease_ms=LEASE_MS)
    async with working(slow):
        await caller.call("stream")
        await caller.speak(chunks[:1])
        await until(lambda: shows_its_steps(caller))
        async with working(other):
            await caller.speak(chunks[1:])
            await caller.listen(4 * len(chunks))
    assert other.ownership.takeovers == 0
    assert caller.pcm == joined(chunks)
