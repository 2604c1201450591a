"""The gateway on a real Redis with a stand-in worker: calls, refusals, resume, clean ends."""

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis
from websockets.exceptions import ConnectionClosed

from gateway.call import opening
from gateway.socket import endpoint
from shared.log import keys
from shared.log.records import (
    Cancel,
    Clear,
    Commit,
    Detach,
    Heard,
    Mode,
    Options,
    Played,
    ReplyDone,
    ReplyStarted,
    Speech,
    SpeechStarted,
    SpeechStopped,
    Text,
)
from tests.patience import PATIENCE_S, until
from tests.redis.stage import (
    SECOND,
    Caller,
    GatewayServer,
    StandInWorker,
    running_gateway,
    speak,
)

pytestmark = pytest.mark.redis


def sid_of(caller: Caller) -> str:
    return str(caller.events[0]["session"])


async def session_keys(redis: Redis) -> list[bytes | str]:
    return list(await redis.keys("s:*"))


async def test_a_call_echoes_the_audio_and_acknowledges_it(
    server: GatewayServer, worker: StandInWorker
) -> None:
    caller = await server.caller(mode="stream", options={"silence_ms": 300})
    assert caller.events[0]["outcome"] == "new"
    assert caller.events[0]["mode"] == "stream"
    assert (caller.events[0]["next_sample"], caller.events[0]["next_frame"]) == (0, 1)
    sent = await speak(caller, 0.8)
    await caller.until_frame(40)
    assert caller.numbers() == list(range(1, 41))
    assert caller.pcm == sent
    assert caller.frames[0] == (1, 1, 1)
    while caller.events[-1].get("samples") != 19_200:
        await caller.next()
    await caller.send("ping", t="now")
    assert (await caller.until("pong"))["t"] == "now"
    await caller.socket.close()


async def test_the_end_of_a_call_leaves_no_key(server: GatewayServer, redis_client: Redis) -> None:
    caller = await server.caller()
    await speak(caller, 0.2)
    await caller.send("end")
    await caller.socket.wait_closed()
    assert caller.socket.close_code == 1000
    await until(lambda: not server.gateway.sessions)
    assert not await session_keys(redis_client)
    assert not await redis_client.scard(keys.SESSIONS)


async def test_the_end_of_a_call_leaves_no_key_when_the_worker_is_stuck(
    server: GatewayServer, worker: StandInWorker, redis_client: Redis
) -> None:
    caller = await server.caller()
    worker.stalled = True
    await caller.send("end")
    await until(lambda: not server.gateway.sessions)
    assert not await session_keys(redis_client)


async def test_controls_reach_the_log_in_order(
    server: GatewayServer, worker: StandInWorker
) -> None:
    caller = await server.caller()
    await caller.send("mode", mode="stream")
    await caller.send("options", manual=True)
    await caller.socket.send(SECOND[:100])
    await caller.send("commit")
    await caller.send("cancel")

    def controls() -> list[object]:  # a playhead goes by the clock
        return [r for r in worker.inputs[sid_of(caller)] if not isinstance(r, Played)]

    await until(lambda: len(controls()) == 5)
    mode, options, audio, commit, cancel = controls()
    assert (mode, options) == (Mode("stream"), Options(manual=True))
    assert audio.pcm == SECOND[:100].ljust(3_840, b"\0")  # type: ignore[attr-defined]
    assert (commit, cancel) == (Commit(padding=1_870), Cancel())
    while {"type": "ack", "samples": 50} not in caller.events:
        await caller.next()
    await caller.send("end")


async def test_events_and_frames_of_a_turn(server: GatewayServer, worker: StandInWorker) -> None:
    caller = await server.caller()
    worker.stalled = True
    sid = sid_of(caller)
    frames = bytes(4 * 960)
    await worker.say(
        sid,
        *(SpeechStarted(1), SpeechStopped(1), Heard("tu plus tu", final=True, rough=True)),
        *(ReplyStarted(1, 1), Text(1, "four ")),
        *(Speech(1, 1, frames), ReplyDone(1, 5, "end")),
        frame=4,
        generation=1,
    )
    await caller.until("reply_done")
    kinds = [event["type"] for event in caller.events]
    sent = ["speech_started", "speech_stopped", "heard", "reply_started", "text", "reply_done"]
    assert kinds == ["ready", *sent]
    assert caller.events[1] == {"type": "speech_started", "sample": 0}
    assert caller.events[3] == {
        "type": "heard",
        "text": "tu plus tu",
        "final": True,
        "rough": True,
    }
    assert caller.events[5] == {"type": "text", "generation": 1, "frame": 1, "text": "four "}
    assert caller.frames == [(1, 1, 1), (2, 1, 0), (3, 1, 0), (4, 1, 2)]
    worker.stalled = False
    await caller.send("end")


async def test_a_clear_stops_a_reply_at_once(server: GatewayServer, worker: StandInWorker) -> None:
    caller = await server.caller()
    worker.stalled = True
    sid = sid_of(caller)
    long = [Speech(1 + 4 * i, 1, bytes(4 * 960)) for i in range(125)]  # ten seconds
    await worker.say(sid, ReplyStarted(1, 1), *long, frame=500, generation=1)
    await caller.until_frame(12)
    await worker.say(
        sid,
        *(Clear(1, 501), ReplyStarted(2, 501), Speech(501, 2, bytes(960))),
        frame=501,
        generation=2,
    )
    await caller.until_frame(501)
    numbers = caller.numbers()
    assert numbers[-1] == 501
    assert numbers[:-1] == list(range(1, len(numbers)))
    assert len(numbers) < 500
    assert (await caller.until("clear")) == {"type": "clear", "generation": 1, "next_frame": 501}
    worker.stalled = False
    await caller.send("end")


async def test_the_playhead_is_logged(server: GatewayServer, worker: StandInWorker) -> None:
    caller = await server.caller()
    sid = sid_of(caller)
    await speak(caller, 0.3)
    await caller.until_frame(8)
    await caller.send("played", frame=5)
    await until(lambda: Played(5) in worker.inputs[sid])
    await caller.send("played", frame=10_000)  # is capped at the last frame sent
    await until(lambda: Played(12) in worker.inputs[sid])
    await caller.send("end")


async def test_a_plain_client_gets_plain_audio(
    server: GatewayServer, worker: StandInWorker
) -> None:
    socket = await server.plain("?mode=stream")
    await until(lambda: worker.owned)
    got = b""
    for _ in range(5):
        await socket.send(SECOND[:3_840])
        await asyncio.sleep(0.08)
    while len(got) < 5 * 3_840:
        frame = await asyncio.wait_for(socket.recv(), PATIENCE_S)
        assert isinstance(frame, bytes)
        assert len(frame) == 960
        got += frame
    assert got == SECOND[:3_840] * 5
    (sid,) = worker.owned
    await until(lambda: Played(20) in worker.inputs[sid])
    await socket.close()
    await until(lambda: not worker.owned)


async def test_a_plain_client_with_an_unknown_mode_is_refused(server: GatewayServer) -> None:
    socket = await server.plain("?mode=karaoke")
    assert "karaoke" in str(await socket.recv())
    with pytest.raises(ConnectionClosed):
        await socket.recv()
    assert socket.close_code == 4400


async def test_a_caller_resumes_on_another_gateway_and_misses_no_frame(
    server: GatewayServer, worker: StandInWorker, redis_url: str
) -> None:
    first = await server.caller()
    sent = await speak(first, 0.8)
    await first.until_frame(24)
    first.socket.transport.abort()
    await until(lambda: not server.gateway.sessions)
    async with running_gateway(redis_url) as elsewhere:
        second = await elsewhere.native()
        wish = {"session": sid_of(first), "token": first.events[0]["token"], "frame": 24}
        await second.send("start", resume=wish)
        ready = await second.until("ready")
        assert ready["outcome"] == "recovered"
        assert (ready["next_sample"], ready["next_frame"]) == (19_200, 25)
        await second.until_frame(40)
        assert second.numbers() == list(range(25, 41))
        assert second.pcm == sent[24 * 960 :]
        await second.send("end")
        await second.socket.wait_closed()


async def test_a_client_that_leaves_before_it_sends_anything_keeps_no_slot(
    server: GatewayServer, worker: StandInWorker, redis_client: Redis
) -> None:
    caller = await server.caller()
    caller.socket.transport.abort()
    await until(lambda: not worker.owned and not server.gateway.sessions)
    assert not await session_keys(redis_client)


async def test_a_newer_connection_wins(server: GatewayServer) -> None:
    first = await server.caller()
    second = await server.native()
    wish = {"session": sid_of(first), "token": first.events[0]["token"], "frame": 0}
    await second.send("start", resume=wish)
    await second.until("ready")
    assert await first.end_of() == ("replaced", 4409)
    await speak(second, 0.2)
    await second.until_frame(8)
    await second.send("end")


@pytest.mark.parametrize(
    ("session", "token", "end"),
    [
        (None, "guess", ("bad_token", 4401)),
        ("0" * 32, "guess", ("not_found", 4404)),
        ("*", "guess", ("not_found", 4404)),
    ],
)
async def test_a_resume_needs_session_and_token(
    server: GatewayServer, session: str | None, token: str, end: tuple[str, int]
) -> None:
    first = await server.caller()
    second = await server.native()
    wish = {"session": session or sid_of(first), "token": token, "frame": 0}
    await second.send("start", resume=wish)
    assert await second.end_of() == end
    await speak(first, 0.1)
    await first.until_frame(4)
    await first.send("end")


async def test_a_flushed_redis_ends_the_call_with_session_lost(
    server: GatewayServer, redis_client: Redis
) -> None:
    caller = await server.caller()
    await redis_client.flushall()
    assert await caller.end_of() == ("session_lost", 4410)


async def test_a_full_fleet_refuses_after_accepting(
    server: GatewayServer, worker: StandInWorker, redis_client: Redis
) -> None:
    worker.slots = 1
    await server.sees(1)
    first = await server.caller()
    second = await server.native()
    await second.send("start")
    refusal = await second.until("error")
    assert refusal["code"] == "no_capacity"
    assert refusal["retry_after_ms"] > 0
    await second.socket.wait_closed()
    assert second.socket.close_code == 4503
    await first.send("end")


async def test_a_hang_up_frees_the_slot_at_every_gateway(
    server: GatewayServer,
    worker: StandInWorker,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worker.slots = 1
    async with running_gateway(redis_url) as other:
        for gateway in (server, other):
            await gateway.sees(1)
        for gateway in (server, other, other, server, server):
            with monkeypatch.context() as patched:
                patched.setattr(opening, "FREED_WITHIN_S", PATIENCE_S)
                caller = await gateway.caller()  # fails when it is refused
            too_many = await (other if gateway is server else server).native()
            await too_many.send("start")
            assert "every slot" in (await too_many.until("error"))["message"]
            await caller.socket.send(SECOND[:3_840])
            await caller.until_frame(4)
            await caller.send("end")
            await caller.socket.wait_closed()


async def test_who_hangs_up_may_call_again_from_the_same_address(
    redis_url: str, worker: StandInWorker
) -> None:
    settings: dict[str, Any] = {
        "gateway_trusted_proxies": "127.0.0.1",
        "gateway_max_per_address": 1,
    }
    headers = {"X-Forwarded-For": "203.0.113.5"}
    async with running_gateway(redis_url, **settings) as gateway:
        await gateway.sees(worker.slots)
        worker.stalled = True  # it ends no call, so the gateway has to
        for _ in range(3):
            socket = await gateway.plain(subprotocols=["antiphon.v1"], additional_headers=headers)
            caller = Caller(socket)
            await caller.send("start")
            await caller.until("ready")
            await caller.send("end")
            await caller.socket.wait_closed()
        worker.stalled = False


async def test_a_call_that_no_worker_claims_is_refused_and_deleted(
    server: GatewayServer, worker: StandInWorker, redis_client: Redis
) -> None:
    async def take(_: int) -> list[str]:
        return []

    server.gateway.opener.claim_within_s = 0.2
    worker.registry.take = take  # type: ignore[method-assign,assignment]
    caller = await server.native()
    await caller.send("start")
    assert await caller.end_of() == ("no_capacity", 4503)
    assert not await session_keys(redis_client)
    assert not await redis_client.llen(keys.QUEUE)


async def test_shutdown_closes_the_sockets_one_after_the_other(
    redis_url: str, worker: StandInWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "DETACH_WITHIN_S", PATIENCE_S)
    async with running_gateway(redis_url) as server:
        await server.sees(worker.slots)
        callers = [await server.caller() for _ in range(4)]
        plain = await server.plain()
        stuck = await server.caller()
        stuck.socket.transport.pause_reading()
        server.uvicorn.should_exit = True
        await until(lambda: not server.uvicorn.server_state.tasks)
    sent = [(await caller.until("goaway"))["resume_in_ms"] for caller in callers]
    assert len(set(sent)) == 4
    for socket in (plain, *(caller.socket for caller in callers)):
        await socket.wait_closed()
        assert socket.close_code == 1012
    for caller in callers:  # each log records the lost socket
        await until(lambda: Detach in map(type, worker.inputs[sid_of(caller)]))  # noqa: B023
