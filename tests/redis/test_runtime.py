"""The worker's loop with the echo engine on a real Redis; the caller's side is written by hand."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from unittest.mock import patch

import pytest
from redis.asyncio import Redis
from redis.typing import EncodableT, FieldT

from shared.log import keys
from shared.log.records import (
    Clear,
    End,
    Mode,
    Played,
    ReplyDone,
    ReplyStarted,
    SpeechStarted,
    SpeechStopped,
    Truncate,
)
from shared.log.registry import Registry
from shared.log.session_log import SessionLog, connect
from shared.settings import load_settings
from tests.conftest import impatient
from tests.patience import PATIENCE_S, until
from tests.redis.caller import Caller
from tests.sounds import joined, noise, silence, voice
from workers.engines.base import Output, Work
from workers.engines.echo import EchoEngine
from workers.runtime import handover
from workers.runtime.conversation.memory import no_fold
from workers.runtime.loop import WorkerLoop
from workers.runtime.ownership.claims import Ownership

pytestmark = pytest.mark.redis


class HangingEngine(EchoEngine):
    """Its step waits while the gate is closed, as a stuck device does."""

    def __init__(self, slots: int) -> None:
        super().__init__(slots)
        self.gate = threading.Event()
        self.gate.set()
        self.hangs = False

    def step(self, batch: Sequence[Work]) -> list[Output]:
        """Echo, late."""
        self.hangs = not self.gate.is_set()
        self.gate.wait(PATIENCE_S)
        return super().step(batch)


def make_worker(
    redis: Redis, name: str = "w1", engine: EchoEngine | None = None, *, lease_ms: int = 300
) -> WorkerLoop:
    settings = load_settings({"ENGINE": "echo", "LEASE_MS": str(lease_ms)})
    log = SessionLog(redis, ttl_s=60)
    ownership = Ownership(
        log, Registry(redis, ttl_s=60), settings, name, traits=EchoEngine.traits, fold=no_fold
    )
    return WorkerLoop(log, ownership, engine or EchoEngine(8), settings)


async def gone(redis: Redis, sid: str) -> bool:
    return not await redis.exists(keys.meta(sid))


async def stuck(engine: HangingEngine) -> bool:
    return engine.hangs


async def seated(worker: WorkerLoop, count: int) -> bool:
    return len(worker.slots.sessions) == count


async def empty(worker: WorkerLoop) -> bool:
    return not worker.slots.sessions


@asynccontextmanager
async def working(worker: WorkerLoop) -> AsyncIterator[asyncio.Event]:
    """The worker at work; it leaves in order at the end, with all the time that it needs."""
    stopping = asyncio.Event()
    with ExitStack() as patches:
        for limit in ("TURN_WITHIN_S", "DRAIN_WITHIN_S", "REST_WITHIN_S"):
            patches.enter_context(patch.object(handover, limit, PATIENCE_S))
        task = asyncio.create_task(worker.run(stopping))
        try:
            yield stopping
        finally:
            stopping.set()
            await task


async def test_stream_mode_echoes_every_chunk_bit_for_bit(redis_client: Redis) -> None:
    caller, chunks = Caller(redis_client), noise(300)
    await caller.call("stream")
    async with working(make_worker(redis_client)):
        await asyncio.gather(caller.speak(chunks), caller.listen(300 * 4))
    assert caller.pcm == joined(chunks)
    assert caller.got(ReplyStarted) == [ReplyStarted(1, 1)]


async def test_turn_mode_answers_a_turn_with_it(redis_client: Redis) -> None:
    caller = Caller(redis_client)
    spoken = voice(10)
    await caller.call("turn")
    async with working(make_worker(redis_client)):
        await caller.speak([*silence(10), *spoken, *silence(12)])
        await caller.listen(1, ReplyDone)
    assert joined(spoken) in caller.pcm
    assert [type(event) for event in caller.events] == [
        SpeechStarted,
        SpeechStopped,
        ReplyStarted,
        ReplyDone,
    ]
    assert caller.events[0] == SpeechStarted(11)
    assert caller.events[-1] == ReplyDone(1, caller.frame + 1, "end")


@pytest.mark.parametrize(("played", "reopened"), [(20, True), (100, False)])
async def test_speaking_over_a_reply_clears_it_and_all_of_it_is_answered(
    redis_client: Redis, played: int, reopened: bool
) -> None:
    caller = Caller(redis_client)
    first = voice(30)
    words = [*voice(4, 190), *silence(1), *voice(4, 130), *silence(1), *voice(4, 170)]
    await caller.call("turn")
    async with working(make_worker(redis_client)):
        await caller.speak([*first, *silence(12)])
        await caller.listen(1, ReplyDone)
        said = caller.frame
        await caller.say(Played(played))
        await caller.speak([*words, *silence(4)])
        await caller.listen(0, Clear)
        steps = await SessionLog(redis_client).read_steps(caller.sid)
        await caller.speak(silence(12))
        await caller.listen(said + 1)
        await caller.say(Played(said + 1))
        while len(caller.got(ReplyDone)) < 2:
            await caller.say(Played(caller.frame))
            await caller.listen(caller.frame + 1)
    assert caller.got(Clear) == [Clear(1, said + 1)]
    assert caller.got(ReplyStarted)[1] == ReplyStarted(2, said + 1)
    assert {r.reopened for _, r in steps if isinstance(r, Truncate)} == {reopened}
    again = caller.pcm[said * 960 :]
    assert joined(words) in again
    assert (joined(first) in again) == reopened


async def test_mode_switch_ends_one_reply_and_begins_another(redis_client: Redis) -> None:
    caller = Caller(redis_client)
    await caller.call("stream")
    async with working(make_worker(redis_client)):
        await caller.speak(noise(5))
        await caller.say(Mode("turn"))
        await caller.speak([*voice(5), *silence(12)])
        await caller.listen(21, ReplyDone)
    assert caller.got(ReplyDone)[0] == ReplyDone(1, 21, "end")
    assert caller.got(ReplyStarted)[1] == ReplyStarted(2, 21)


async def test_end_deletes_every_key_of_the_session(redis_client: Redis) -> None:
    caller = Caller(redis_client)
    await caller.call("stream")
    async with working(make_worker(redis_client)):
        await caller.speak(noise(3))
        await caller.listen(12)
        await caller.say(End())
        await until(lambda: gone(redis_client, caller.sid))
    assert await redis_client.keys("*") == []


async def test_a_leaving_worker_hands_its_session_over(redis_client: Redis) -> None:
    caller, chunks = Caller(redis_client), noise(200)
    await caller.call("stream")
    async with working(make_worker(redis_client, "w1")):
        await caller.speak(chunks[:100])
        await caller.listen(10)
    async with working(make_worker(redis_client, "w2")):
        await caller.speak(chunks[100:])
        await caller.listen(800)
    assert caller.pcm == joined(chunks)


async def test_a_session_leaves_a_worker_that_hangs_and_its_late_write_is_fenced(
    redis_client: Redis,
) -> None:
    caller, chunks = Caller(redis_client), noise(200)
    engine = HangingEngine(8)
    hanging = make_worker(redis_client, "w1", engine)
    await caller.call("stream")
    async with working(hanging):
        await caller.speak(chunks[:50])
        await caller.listen(200)
        engine.gate.clear()
        await caller.speak(chunks[50:100])
        async with working(make_worker(redis_client, "w2")):
            await caller.speak(chunks[100:])
            await caller.listen(800)
            engine.gate.set()
            await until(lambda: empty(hanging))
    assert caller.pcm == joined(chunks)


async def test_a_redis_that_pauses_costs_time_and_nothing_else(
    redis_client: Redis, redis_url: str
) -> None:
    async with connect(impatient(redis_url)) as redis:
        caller, chunks = Caller(redis), noise(120)
        await caller.call("stream")
        async with working(make_worker(redis)):
            await caller.speak(chunks[:60])
            await redis_client.client_pause(1_500)  # longer than the socket's time-out
            await caller.speak(chunks[60:])
            await caller.listen(480)
    assert caller.pcm == joined(chunks)


async def test_what_a_redis_crash_rolled_back_is_written_again(redis_client: Redis) -> None:
    caller, chunks = Caller(redis_client), noise(100)
    await caller.call("stream")
    async with working(make_worker(redis_client)):
        await caller.speak(chunks[:50])
        await caller.listen(200)
        dumps = {key: await redis_client.dump(key) for key in keys.session(caller.sid)}
        await caller.speak(chunks[50:70])
        await caller.listen(280)
        await redis_client.script_flush()
        for key, dump in dumps.items():
            assert dump is not None
            await redis_client.restore(key, 60_000, dump, replace=True)
        await caller.speak(chunks[70:])
        await caller.listen(400)
        (kept,) = await caller.log.read_outputs([(caller.sid, 0)], 1_000)
    assert caller.pcm == joined(chunks)
    assert kept == caller.outputs[-len(kept) :]


@pytest.mark.parametrize(
    "fields", [{"audio": b"no msgpack"}, {"audio": b"", "more": b""}, {b"\xff": b""}]
)
async def test_a_record_that_cannot_be_read_ends_its_session_alone(
    redis_client: Redis, fields: dict[FieldT, EncodableT]
) -> None:
    good, bad = Caller(redis_client, "good"), Caller(redis_client, "bad")
    await good.call("stream")
    await bad.call("stream")
    chunks = noise(20)
    async with working(make_worker(redis_client)):
        await bad.speak(chunks[:2])
        await bad.listen(8)
        await redis_client.xadd(keys.inputs("bad"), fields, id="3-0")
        await until(lambda: gone(redis_client, "bad"))
        await good.speak(chunks)
        await good.listen(80)
    assert good.pcm == joined(chunks)


async def test_a_caller_who_stays_away_is_ended(redis_client: Redis) -> None:
    caller = Caller(redis_client)
    worker = make_worker(redis_client)
    worker._away_s = 0.3
    await caller.call("turn")
    async with working(worker):
        await until(lambda: gone(redis_client, caller.sid))
    assert await redis_client.keys("*") == []


async def test_a_worker_whose_engine_hangs_still_hands_its_sessions_back(
    redis_client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover, "REST_WITHIN_S", PATIENCE_S)
    caller, engine = Caller(redis_client), HangingEngine(8)
    worker, stopping = make_worker(redis_client, "w1", engine), asyncio.Event()
    await caller.call("stream")
    task = asyncio.create_task(worker.run(stopping))
    await caller.speak(noise(2))
    await caller.listen(8)
    engine.gate.clear()
    await caller.speak(noise(2))
    await until(lambda: stuck(engine))
    stopping.set()
    with pytest.raises(TimeoutError, match="hangs"):
        await task
    engine.gate.set()
    (meta,) = await caller.log.metas([caller.sid])
    assert meta is not None
    assert meta.owner == ""
    assert await caller.registry.queued() == 1
