"""The gateway when Redis or a record fails: the call goes on, or ends with an error."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis
from redis.exceptions import TimeoutError as RedisTimeoutError

from shared.log import keys
from tests.conftest import impatient, patient
from tests.patience import until
from tests.redis.stage import (
    SECOND,
    GatewayServer,
    StandInWorker,
    running_gateway,
    running_worker,
    speak,
)

pytestmark = pytest.mark.redis


async def test_a_paused_redis_loses_and_doubles_nothing(
    worker: StandInWorker, redis_client: Redis, redis_url: str
) -> None:
    async with running_gateway(impatient(redis_url)) as server:
        await server.sees(worker.slots)
        caller = await server.caller()
        start = await speak(caller, 0.4)
        # Longer than the data path's time-out, so that writes whose answer was lost are sent again.
        await redis_client.client_pause(1_300)
        rest = await speak(caller, 1.2)
        await caller.until_frame(80)
        assert caller.numbers() == list(range(1, 81))
        assert caller.pcm == start + rest
        await caller.send("end")


async def test_an_unreadable_record_ends_its_own_call_only(
    server: GatewayServer, worker: StandInWorker, redis_client: Redis
) -> None:
    neighbour, victim = await server.caller(), await server.caller()
    sid = str(victim.events[0]["session"])
    await worker.leave(sid)  # the worker could not read this record either
    await redis_client.xadd(keys.outputs(sid), {"speech": b"\xc1"}, id="1-0")
    await redis_client.expire(keys.outputs(sid), 60)
    assert await victim.end_of() == ("internal", 4500)
    await neighbour.socket.send(SECOND[:3_840])
    await neighbour.until_frame(4)
    await neighbour.send("end")


async def test_a_session_that_cannot_be_written_does_not_stop_the_others(
    server: GatewayServer, worker: StandInWorker, redis_client: Redis
) -> None:
    neighbour, victim = await server.caller(), await server.caller()
    sid = str(victim.events[0]["session"])
    await worker.leave(sid)
    await redis_client.set(keys.inputs(sid), "no stream", ex=60)
    await victim.socket.send(SECOND[:3_840])
    for piece in range(10):
        await neighbour.socket.send(SECOND[:3_840])
        await neighbour.until_frame(4 * piece + 4)
    await redis_client.delete(keys.inputs(sid))
    await neighbour.send("end")


async def test_a_start_whose_answer_is_lost_leaves_nothing_behind(
    server: GatewayServer,
    worker: StandInWorker,
    redis_client: Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry = server.gateway.registry
    announce = registry.announce

    async def announce_without_answer(sid: str) -> None:
        await announce(sid)
        raise RedisTimeoutError("the answer is lost")

    monkeypatch.setattr(registry, "announce", announce_without_answer)
    caller = await server.native()
    await caller.send("start")
    assert await caller.end_of() == ("internal", 4500)
    assert await redis_client.keys("s:*") == []
    assert await registry.sessions() == []


async def test_a_quarantined_session_ends_with_poisoned(
    server: GatewayServer, worker: StandInWorker, redis_client: Redis
) -> None:
    caller = await server.caller()
    ready = caller.events[0]
    sid = str(ready["session"])
    owner = await worker.leave(sid)
    assert await worker.log.quarantine(sid, owner) == "stored"
    await caller.socket.send(SECOND[:3_840])
    assert await caller.end_of() == ("poisoned", 4422)
    again = await server.native()
    resume = {"session": sid, "token": ready["token"], "frame": 0}
    await again.send("start", resume=resume)
    assert await again.end_of() == ("poisoned", 4422)
    assert await redis_client.exists(keys.meta(sid)), "its log is kept"


async def test_a_log_that_lost_its_tail_is_repaired(
    server: GatewayServer, worker: StandInWorker, redis_client: Redis
) -> None:
    caller = await server.caller()
    sid = str(caller.events[0]["session"])
    worker.stalled = True
    await speak(caller, 0.4)
    await until(lambda: next(iter(server.gateway.sessions))._uplink.acked == 5)
    # As after a restart from an older file: the last records are not there.
    await redis_client.hset(keys.meta(sid), "n", "2")
    await redis_client.delete(keys.inputs(sid))
    await caller.socket.send(SECOND[:3_840])
    session = next(iter(server.gateway.sessions))
    await until(lambda: session.unwritten == 0 and session._uplink.n == 6)
    assert await redis_client.xlen(keys.inputs(sid)) == 4
    assert (await redis_client.xinfo_stream(keys.inputs(sid)))["last-generated-id"] == b"6-0"
    await redis_client.hset(keys.meta(sid), "cursor", "2")
    worker.stalled = False
    await caller.send("end")


async def test_the_backlog_is_bounded_when_a_worker_reads_nothing(
    server: GatewayServer, worker: StandInWorker, redis_client: Redis
) -> None:
    caller = await server.caller()
    worker.stalled = True
    sid = str(caller.events[0]["session"])
    session = next(iter(server.gateway.sessions))
    session._uplink._audio_rate.charge(-10 * 24_000)  # as after a minute of speech
    for _ in range(10):
        await caller.socket.send(SECOND)
    await until(lambda: session.log_full)
    backlog = server.gateway.settings.uplink_backlog_chunks
    assert await redis_client.xlen(keys.inputs(sid)) == backlog
    worker.stalled = False
    await until(lambda: not session.unwritten)
    await caller.send("end")


@asynccontextmanager
async def full(redis: Redis) -> AsyncIterator[None]:
    """Redis has no memory for another write. Ends however the test does: others share it."""
    await redis.config_set("maxmemory", 1)
    try:
        yield
    finally:
        await redis.config_set("maxmemory", 0)


async def test_a_full_redis_refuses_new_calls_and_keeps_the_present_ones(
    any_redis: Redis, any_redis_url: str
) -> None:
    """Redis 7 and 6 word this error differently."""
    url = patient(any_redis_url)
    async with running_worker(url) as worker, running_gateway(url, user="") as server:
        await server.sees(worker.slots)
        caller = await server.caller()
        async with full(any_redis):
            refused = await server.native()
            await refused.send("start")
            assert "Redis is full" in (await refused.until("error"))["message"]
            assert await refused.end_of() == ("no_capacity", 4503)
            await caller.socket.send(SECOND[:3_840])
            await asyncio.sleep(0.3)
            assert "ack" not in [event["type"] for event in caller.events]
        await caller.until_frame(4)  # its ring kept the records that the log refused
        assert caller.pcm == SECOND[:3_840]
        await caller.send("end")


async def test_a_gateway_without_workers_is_not_ready_and_refuses(
    server: GatewayServer, worker: StandInWorker
) -> None:
    worker.stopped = True
    fleet = server.gateway.fleet
    fleet.lease_s = 0.1
    await until(lambda: fleet.unready_reason(time.monotonic()) == "no worker is running")
    caller = await server.native()
    await caller.send("start")
    assert await caller.end_of() == ("no_capacity", 4503)
