"""The gateway when Redis or a record fails: the call goes on, or is told."""

import asyncio
import time

import pytest
from redis.asyncio import Redis
from redis.exceptions import TimeoutError as RedisTimeoutError

from shared.log import keys
from tests.patience import until
from tests.redis.stage import SECOND, Place, StandInWorker, speak

pytestmark = pytest.mark.redis


async def test_a_redis_that_stands_still_loses_and_doubles_nothing(
    place: Place, worker: StandInWorker, redis_client: Redis
) -> None:
    caller = await place.caller()
    start = await speak(caller, 0.4)
    # Longer than the data path's time-out, so that writes are sent again whose answer was lost.
    await redis_client.client_pause(1_300)
    rest = await speak(caller, 1.2)
    await caller.until_frame(80)
    assert caller.numbers() == list(range(1, 81))
    assert caller.pcm == start + rest
    await caller.say("end")


async def test_an_unreadable_record_ends_its_own_call_only(
    place: Place, worker: StandInWorker, redis_client: Redis
) -> None:
    neighbour, victim = await place.caller(), await place.caller()
    sid = str(victim.events[0]["session"])
    del worker.owned[sid]  # it would trip over the foreign record too
    await redis_client.xadd(keys.outputs(sid), {"speech": b"\xc1"}, id="1-0")
    await redis_client.expire(keys.outputs(sid), 60)
    assert await victim.end_of() == ("internal", 4500)
    await neighbour.socket.send(SECOND[:3_840])
    await neighbour.until_frame(4)
    await neighbour.say("end")


async def test_a_session_that_cannot_be_written_does_not_stop_its_neighbours(
    place: Place, worker: StandInWorker, redis_client: Redis
) -> None:
    neighbour, victim = await place.caller(), await place.caller()
    sid = str(victim.events[0]["session"])
    del worker.owned[sid]
    await redis_client.set(keys.inputs(sid), "no stream", ex=60)
    await victim.socket.send(SECOND[:3_840])
    for piece in range(10):
        await neighbour.socket.send(SECOND[:3_840])
        await neighbour.until_frame(4 * piece + 4)
    await redis_client.delete(keys.inputs(sid))
    await neighbour.say("end")


async def test_a_start_whose_answer_is_lost_leaves_nothing_behind(
    place: Place,
    worker: StandInWorker,
    redis_client: Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry = place.gateway.registry
    announce = registry.announce

    async def announce_unheard(sid: str) -> None:
        await announce(sid)
        raise RedisTimeoutError("the answer is lost")

    monkeypatch.setattr(registry, "announce", announce_unheard)
    caller = await place.native()
    await caller.say("start")
    assert await caller.end_of() == ("internal", 4500)
    assert await redis_client.keys("s:*") == []
    assert await registry.sessions() == []


async def test_a_call_that_was_given_up_is_told_so(
    place: Place, worker: StandInWorker, redis_client: Redis
) -> None:
    caller = await place.caller()
    ready = caller.events[0]
    sid = str(ready["session"])
    owner = worker.owned.pop(sid).owner
    assert await worker.log.quarantine(sid, owner) == "stored"
    await caller.socket.send(SECOND[:3_840])
    assert await caller.end_of() == ("poisoned", 4422)
    again = await place.native()
    resume = {"session": sid, "token": ready["token"], "frame": 0}
    await again.say("start", resume=resume)
    assert await again.end_of() == ("poisoned", 4422)
    assert await redis_client.exists(keys.meta(sid)), "its log is kept"


async def test_a_log_that_lost_its_tail_is_repaired(
    place: Place, worker: StandInWorker, redis_client: Redis
) -> None:
    caller = await place.caller()
    sid = str(caller.events[0]["session"])
    worker.deaf = True
    await speak(caller, 0.4)
    await until(lambda: next(iter(place.gateway.sessions))._uplink.acked == 5)
    # What a restart from an older file looks like: the last records were never there.
    await redis_client.hset(keys.meta(sid), "n", "2")
    await redis_client.delete(keys.inputs(sid))
    await caller.socket.send(SECOND[:3_840])
    session = next(iter(place.gateway.sessions))
    await until(lambda: session.unwritten == 0 and session._uplink.n == 6)
    assert await redis_client.xlen(keys.inputs(sid)) == 4
    assert (await redis_client.xinfo_stream(keys.inputs(sid)))["last-generated-id"] == b"6-0"
    await redis_client.hset(keys.meta(sid), "cursor", "2")
    worker.deaf = False
    await caller.say("end")


async def test_the_backlog_of_a_worker_that_takes_nothing_is_bounded(
    place: Place, worker: StandInWorker, redis_client: Redis
) -> None:
    caller = await place.caller()
    worker.deaf = True
    sid = str(caller.events[0]["session"])
    session = next(iter(place.gateway.sessions))
    session._uplink._audio_rate.charge(-10 * 24_000)  # as after a minute of speech
    for _ in range(10):
        await caller.socket.send(SECOND)
    await until(lambda: session.log_full)
    backlog = place.gateway.settings.uplink_backlog_chunks
    assert await redis_client.xlen(keys.inputs(sid)) == backlog
    worker.deaf = False
    await until(lambda: not session.unwritten)
    await caller.say("end")


async def test_a_redis_that_is_full_lets_nobody_in_and_says_why(
    place: Place, worker: StandInWorker, redis_client: Redis
) -> None:
    caller = await place.caller()
    await redis_client.config_set("maxmemory", 1)
    refused = await place.native()
    await refused.say("start")
    assert "Redis is full" in (await refused.until("error"))["message"]
    assert await refused.end_of() == ("no_capacity", 4503)
    await caller.socket.send(SECOND[:3_840])
    await asyncio.sleep(0.3)
    assert "ack" not in [event["type"] for event in caller.events]
    await redis_client.config_set("maxmemory", 0)
    await caller.until_frame(4)  # its ring has kept what the log refused
    assert caller.pcm == SECOND[:3_840]
    await caller.say("end")


async def test_a_gateway_without_workers_is_not_ready_and_refuses(
    place: Place, worker: StandInWorker
) -> None:
    worker.stopped = True
    fleet = place.gateway.fleet
    fleet.lease_s = 0.1
    await until(lambda: fleet.unready_reason(time.monotonic()) == "no worker is running")
    caller = await place.native()
    await caller.say("start")
    assert await caller.end_of() == ("no_capacity", 4503)
