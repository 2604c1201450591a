"""A session at which the engine fails is given up; its neighbours do not notice."""

import asyncio
import itertools
import time
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

import numpy as np
import pytest
from redis.asyncio import Redis

from shared.audio import CHUNK_SAMPLES, Pcm16
from shared.log import keys
from shared.log.records import Audio
from shared.log.session_log import QUARANTINE_S
from shared.log.writes import Answer, Append, Receipt
from tests.patience import until
from tests.redis.caller import Caller
from tests.redis.test_runtime import make_worker, working
from tests.sounds import joined, noise
from workers.engines.base import Output, Past, Work
from workers.engines.echo import EchoEngine
from workers.runtime.loop import WorkerLoop

pytestmark = pytest.mark.redis

POISON: Pcm16 = np.full(CHUNK_SAMPLES, 666, dtype=np.int16)


class BrittleEngine(EchoEngine):
    """Fails at poison; also at any session when a test tells it to."""

    def __init__(self, slots: int) -> None:
        super().__init__(slots)
        self.fails_at = 0  # the size of a batch at which it fails once; 0: never
        self.breaks_at = 0  # the size of a batch from which on it always fails
        self.broken = False

    def step(self, batch: Sequence[Work]) -> list[Output]:
        """Echo, or fail when the batch is half done, as a real one would."""
        outputs = super().step(batch)
        self.broken = self.broken or 0 < self.breaks_at <= len(batch)
        if self.broken or 0 < self.fails_at <= len(batch):
            self.fails_at = 0
            raise RuntimeError("the device is tired")
        if any(np.array_equal(chunk, POISON) for work in batch for chunk in work.hear):
            raise ValueError("poison")
        return outputs


async def is_poisoned(caller: Caller) -> bool:
    audio = Audio(bytes(2 * CHUNK_SAMPLES))
    (receipt,) = await caller.log.append(
        [Append(sid=caller.sid, conn=caller.conn, first=caller.n + 1, records=(audio,))]
    )
    if isinstance(receipt, Receipt) and receipt.answer is Answer.STORED:
        caller.n += 1
    return isinstance(receipt, Receipt) and receipt.answer is Answer.POISONED


async def test_a_poisoned_session_is_given_up_and_its_neighbours_go_on(
    redis_client: Redis,
) -> None:
    good = [Caller(redis_client, f"good{i}") for i in range(2)]
    bad = Caller(redis_client, "bad")
    chunks = [noise(120, seed=i) for i in range(2)]
    for caller in (*good, bad):
        await caller.call("stream")
    worker = make_worker(redis_client, engine=BrittleEngine(8))
    async with working(worker):
        talks = [
            asyncio.gather(caller.speak(said), caller.listen(480))
            for caller, said in zip(good, chunks, strict=True)
        ]
        await bad.speak([*noise(5, seed=9), POISON])
        await until(lambda: is_poisoned(bad))
        await asyncio.gather(*talks)
        assert "bad" not in worker.slots.sessions
    assert [caller.pcm for caller in good] == [joined(said) for said in chunks]
    await bad.listen(20)
    assert bad.pcm == joined(noise(5, seed=9))
    dead: Any = await redis_client.xrange(keys.DEAD)
    ((_, entry),) = dead
    assert (entry[b"session"], entry[b"worker"]) == (b"bad", b"w1")
    assert b"poison" in entry[b"reason"]
    assert 0 < await redis_client.ttl(keys.DEAD) <= QUARANTINE_S
    assert 3_600 < await redis_client.ttl(keys.inputs("bad")) <= QUARANTINE_S
    assert "bad" not in await bad.registry.sessions()


async def three_callers(redis: Redis) -> list[Caller]:
    callers = [Caller(redis, f"c{i}") for i in range(3)]
    for caller in callers:
        await caller.call("stream")
    return callers


def said_by(callers: Sequence[Caller]) -> list[list[Pcm16]]:
    return [noise(60, seed=i) for i in range(len(callers))]


async def test_a_batch_that_fails_once_is_retried_row_by_row_and_loses_nothing(
    redis_client: Redis,
) -> None:
    callers, engine = await three_callers(redis_client), BrittleEngine(8)
    chunks = said_by(callers)
    async with working(make_worker(redis_client, engine=engine)):
        await asyncio.gather(*map(Caller.speak, callers, [said[:20] for said in chunks]))
        await asyncio.gather(*(caller.listen(80) for caller in callers))
        engine.fails_at = 2
        await asyncio.gather(*map(Caller.speak, callers, [said[20:] for said in chunks]))
        await asyncio.gather(*(caller.listen(240) for caller in callers))
    assert engine.fails_at == 0
    assert [caller.pcm for caller in callers] == [joined(said) for said in chunks]
    metas = await callers[0].log.metas([caller.sid for caller in callers])
    assert [meta and meta.strikes for meta in metas] == [0, 0, 0]


async def test_an_engine_that_fails_at_everybody_ends_its_worker_and_no_call(
    redis_client: Redis,
) -> None:
    callers, engine = await three_callers(redis_client), BrittleEngine(8)
    chunks = said_by(callers)
    task = asyncio.create_task(make_worker(redis_client, engine=engine).run(asyncio.Event()))
    await asyncio.gather(*map(Caller.speak, callers, [said[:20] for said in chunks]))
    await asyncio.gather(*(caller.listen(80) for caller in callers))
    engine.breaks_at = 2
    await asyncio.gather(*map(Caller.speak, callers, [said[20:] for said in chunks]))
    with pytest.raises(RuntimeError, match="broken"):
        await task
    async with working(make_worker(redis_client, "w2")):
        await asyncio.gather(*(caller.listen(240) for caller in callers))
    assert [caller.pcm for caller in callers] == [joined(said) for said in chunks]
    assert await redis_client.exists(keys.DEAD) == 0


async def test_a_session_whose_workers_die_with_it_is_given_up(redis_client: Redis) -> None:
    caller = Caller(redis_client)
    await caller.call("stream")
    await caller.registry.take(1)
    for name in ("dead1", "dead2", "dead3"):  # each claimed it from the one before, and died
        (meta,) = await caller.log.metas([caller.sid])
        assert meta is not None
        answer, _ = await caller.log.claim(caller.sid, meta.owner, name, "n")
        assert answer is Answer.STORED
    async with working(make_worker(redis_client)):
        await until(lambda: is_poisoned(caller))
    assert await redis_client.xlen(keys.DEAD) == 1


async def test_a_session_that_cannot_settle_goes_on_from_its_log_and_harms_nobody(
    redis_client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It fails at a step that the engine has made: for each of two at the same time, alone."""
    callers = await three_callers(redis_client)
    chunks = said_by(callers)
    worker = make_worker(redis_client)
    async with working(worker):
        await asyncio.gather(*map(Caller.speak, callers, [said[:20] for said in chunks]))
        await asyncio.gather(*(caller.listen(80) for caller in callers))
        for sid in ("c0", "c1"):
            monkeypatch.setattr(worker.slots.sessions[sid].conversation, "settle", broken)
        await asyncio.gather(*map(Caller.speak, callers, [said[20:] for said in chunks]))
        await asyncio.gather(*(caller.listen(240) for caller in callers))
    assert [caller.pcm for caller in callers] == [joined(said) for said in chunks]
    metas = await callers[0].log.metas([caller.sid for caller in callers])
    assert [meta and meta.strikes for meta in metas] == [1, 1, 0]


def broken(_: object) -> NoReturn:
    raise ValueError("a fault in the session")


class PatientEngine(EchoEngine):
    """Notes in which order it is called."""

    def __init__(self, slots: int) -> None:
        super().__init__(slots)
        self.calls: list[str] = []

    def replay(self, slot: int, history: Sequence[Past]) -> Iterator[None]:
        """Note it: one piece, and a long one."""
        for past in history:
            self._advance(slot, past)
        time.sleep(2 * self.traits.replay_ms / 1_000)
        if history:
            self.calls.append("replay")
            yield

    def step(self, batch: Sequence[Work]) -> list[Output]:
        """Note it."""
        self.calls.append("step")
        return super().step(batch)


async def test_sessions_taken_over_together_are_rebuilt_between_their_neighbours_steps(
    redis_client: Redis,
) -> None:
    taken = [Caller(redis_client, f"t{i}") for i in range(5)]
    for caller in taken:
        await caller.call("stream")
    async with working(make_worker(redis_client, "w1")):
        for caller in taken:
            await caller.speak(noise(10))
            await caller.listen(40)
    live, engine = Caller(redis_client, "live"), PatientEngine(8)
    await live.call("stream")
    # Their input waits for them: the worker steps the open sessions before it opens the next one.
    for caller in (live, *taken):
        await caller.speak(noise(30, seed=1))
    async with working(make_worker(redis_client, "w2", engine)):
        await asyncio.gather(live.listen(120), *(caller.listen(160) for caller in taken))
    assert engine.calls.count("replay") == 5
    assert ("replay", "replay") not in itertools.pairwise(engine.calls)


async def test_a_flushed_redis_frees_the_slots_of_silent_sessions(redis_client: Redis) -> None:
    caller, worker = Caller(redis_client), make_worker(redis_client)
    await caller.call("turn")
    async with working(worker):
        await caller.speak(noise(3))
        await until(lambda: seated(worker, 1))
        await redis_client.flushall()
        await until(lambda: seated(worker, 0))


async def test_a_session_that_no_hint_names_any_more_is_named_again(redis_client: Redis) -> None:
    caller, worker = Caller(redis_client), make_worker(redis_client)
    await caller.call("turn")
    async with working(worker):
        await until(lambda: seated(worker, 1))
        await redis_client.delete(keys.SESSIONS)
        await until(lambda: listed(caller))


async def seated(worker: WorkerLoop, count: int) -> bool:
    return len(worker.slots.sessions) == count


async def listed(caller: Caller) -> bool:
    return caller.sid in await caller.registry.sessions()
