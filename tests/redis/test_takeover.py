"""Sessions of a dead worker, on a real Redis: how soon, how many at once and by whom taken."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.asyncio import Redis

from shared.log import keys
from shared.log.registry import Registry
from shared.log.session_log import SessionLog, connect
from shared.log.writes import Answer
from shared.settings import load_settings
from tests.patience import until
from tests.redis.caller import Caller
from tests.redis.test_runtime import working
from tests.sounds import joined, noise
from workers.engines.echo import EchoEngine
from workers.runtime.conversation.memory import no_fold
from workers.runtime.loop import WorkerLoop
from workers.runtime.ownership import claims
from workers.runtime.ownership.claims import CLAIM_AT_ONCE, Ownership

pytestmark = pytest.mark.redis

LEASE_S = 60.0  # so long that no test here can mistake it for anything sooner


def patient_worker(redis: Redis, name: str = "w2", lease_s: float = LEASE_S) -> WorkerLoop:
    settings = load_settings({"ENGINE": "echo", "LEASE_MS": str(round(lease_s * 1_000))})
    log = SessionLog(redis, ttl_s=60)
    ownership = Ownership(
        log, Registry(redis, ttl_s=60), settings, name, traits=EchoEngine.traits, fold=no_fold
    )
    return WorkerLoop(log, ownership, EchoEngine(64), settings)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Redis]:
    """A client of its own, which a test may close."""
    line = connect(url)
    try:
        yield line
    finally:
        await line.aclose()


async def beat(line: Redis, beat: int, times: int = 2) -> None:
    """As a worker w1 does; the second one tells the connection's number."""
    registry = Registry(line, ttl_s=60)
    for more in range(times):
        await registry.publish_worker(
            "w1", {"beat": beat + more, "slots": 8, "free": 8, "step_ms": 1, "pid": 1}
        )


async def owned_by_w1(redis: Redis, count: int) -> list[Caller]:
    """Sessions that w1 holds, some way into their calls."""
    callers = [Caller(redis, f"c{i}") for i in range(count)]
    for caller in callers:
        await caller.call("stream")
        await caller.registry.take(1)
        assert (await caller.log.claim(caller.sid, "", "w1", "n"))[0] is Answer.STORED
        await caller.speak(noise(3))
    return callers


async def owners(redis: Redis, callers: list[Caller]) -> set[str]:
    metas = await callers[0].log.metas([caller.sid for caller in callers])
    return {meta.worker for meta in metas if meta is not None}


async def test_a_killed_worker_is_known_long_before_the_lease(
    redis_client: Redis, redis_url: str
) -> None:
    (caller,) = await owned_by_w1(redis_client, 1)
    async with connected(redis_url) as line, working(patient_worker(redis_client)):
        for number in range(8):
            await beat(line, number)
            await asyncio.sleep(0.1)
        assert await owners(redis_client, [caller]) == {"w1"}
        died_at = time.monotonic()
        await line.aclose()  # what the kernel does for a process that was killed
        await caller.listen(12)
        assert time.monotonic() - died_at < LEASE_S / 2
    assert caller.pcm == joined(noise(3))


async def test_a_worker_that_only_stands_still_has_the_whole_lease(
    redis_client: Redis, redis_url: str
) -> None:
    (caller,) = await owned_by_w1(redis_client, 1)
    worker = patient_worker(redis_client)
    async with connected(redis_url) as line, working(worker):
        await beat(line, 1)
        await until(lambda: quiet(worker))
        await asyncio.sleep(0.5)  # several looks
        assert worker.ownership._watch.dead() == set()
        assert await owners(redis_client, [caller]) == {"w1"}


async def quiet(worker: WorkerLoop) -> bool:
    return worker.ownership._watch.quiet(time.monotonic()) == {"w1"}


async def test_where_redis_does_not_tell_of_connections_the_lease_decides(
    redis_client: Redis, redis_url: str
) -> None:
    """An ACL without CLIENT: beats go on without the number, and nobody is dead too soon."""
    rights: dict[str, Any] = {"keys": ["*"], "categories": ["+@all"], "commands": ["-client"]}
    await redis_client.acl_setuser("plain", enabled=True, nopass=True, **rights)
    (caller,) = await owned_by_w1(redis_client, 1)
    async with connected(redis_url.replace("//", "//plain:any@")) as plain:
        worker = patient_worker(plain)
        async with working(worker):
            await beat(plain, 1)
            await redis_client.hset(keys.WORKERS, "w3", json.dumps({"beat": 1, "client": 1 << 40}))
            await until(lambda: both_quiet(worker))
            await asyncio.sleep(0.3)
            shown = await caller.registry.workers()
            assert [shown[name]["client"] for name in ("w1", "w2")] == [None, None]
            assert worker.ownership._watch.dead() == set()
            assert await owners(redis_client, [caller]) == {"w1"}
    await redis_client.acl_deluser("plain")


async def both_quiet(worker: WorkerLoop) -> bool:
    return worker.ownership._watch.quiet(time.monotonic()) == {"w1", "w3"}


async def test_many_orphans_are_claimed_and_read_in_a_few_round_trips(
    redis_client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    callers = await owned_by_w1(redis_client, 40)
    worker = patient_worker(redis_client, lease_s=0.3)
    claimed, read = noted(monkeypatch, "claim_all"), noted(monkeypatch, "read_sessions")
    async with working(worker):
        await until(lambda: everybody(redis_client, callers, "w2"))
        await asyncio.gather(*(caller.listen(12) for caller in callers))
    assert claimed == read == [CLAIM_AT_ONCE] * (len(callers) // CLAIM_AT_ONCE)


def noted(monkeypatch: pytest.MonkeyPatch, method: str) -> list[int]:
    """How many sessions each call of the log's method is given, none left out."""
    sizes: list[int] = []
    real = getattr(SessionLog, method)

    async def call(log: SessionLog, sessions: Collection[str], *rest: Any) -> Any:
        sizes.append(len(sessions))
        return await real(log, sessions, *rest)

    monkeypatch.setattr(SessionLog, method, call)
    return sizes


async def test_a_slow_worker_takes_no_new_callers_and_yet_no_call_is_left_alone(
    redis_client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "SWEEP_S", 0.0)
    monkeypatch.setattr(claims, "ORPHAN_S", 0.0)
    going_on, fresh = Caller(redis_client, "old"), Caller(redis_client, "new")
    await going_on.call("stream")
    async with working(patient_worker(redis_client, "w1")):
        await going_on.speak(noise(3))
        await going_on.listen(12)
    await fresh.call("stream")
    worker = patient_worker(redis_client)
    claiming = worker.ownership
    status = {**worker.status(), "free": 7, "step_p95_ms": 500.0}
    for turn in range(3):  # sweeps, which find the session without an owner
        await claiming.round({**status, "beat": turn}, {})
    assert [arrival.sid for arrival in claiming.arrivals] == ["old"]
    await claiming.round({**status, "beat": 9, "step_p95_ms": 20.0}, {})
    assert [arrival.sid for arrival in claiming.arrivals] == ["old", "new"]


async def everybody(redis: Redis, callers: list[Caller], worker: str) -> bool:
    return await owners(redis, callers) == {worker}
