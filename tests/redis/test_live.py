"""The Live API on a real Redis: keys, the start, refusals, and openai-python as the client."""

import asyncio
import base64
import json
from typing import Any

import httpx
from openai import AsyncOpenAI
from redis.asyncio import Redis

from shared.log import keys
from tests.patience import PATIENCE_S, until
from tests.redis.openai_door import KEY, LIVE, calling, event, refusal
from tests.redis.stage import GatewayServer, StandInWorker, running_gateway


def start(**session: Any) -> str:
    return json.dumps({"type": "session.start", "session": {"model": "any", **session}})


def append(sound: bytes) -> str:
    audio = base64.b64encode(sound).decode()
    return json.dumps({"type": "session.input_audio.append", "audio": audio})


async def test_openai_python_hears_its_own_words_from_an_echo(
    server: GatewayServer, redis_client: Redis, worker: StandInWorker
) -> None:
    url = f"{server.http}/v1"
    sound, heard = bytes(range(256)) * 75, b""  # 0.4 s
    async with (
        asyncio.timeout(PATIENCE_S),
        AsyncOpenAI(api_key="any", base_url=url, websocket_base_url=url) as client,
        client.live.connect() as call,
    ):
        await call.session.start(session={"model": "gpt-live-1"})
        started: Any = await call.recv()
        assert (started.type, started.session.model) == ("session.started", "gpt-live-1")
        sid = started.session.id.removeprefix("live_")
        assert await redis_client.hget(keys.meta(sid), "mode") == b"stream"
        await call.session.input_audio.append(audio=base64.b64encode(sound).decode())
        while len(heard) < len(sound):
            delta: Any = await call.recv()
            heard += base64.b64decode(delta.delta)
        await call.session.close()
        closed: Any = await call.recv()
        assert (closed.type, closed.reason) == ("session.closed", "close_requested")
    assert heard == sound
    await until(lambda: not worker.owned)


async def test_a_wrong_first_event_is_refused(server: GatewayServer) -> None:
    for text, code in (
        (start(store=True), "not_supported"),
        (start(voice="x"), "unknown_parameter"),
        ('{"type": "session.close"}', "session_not_started"),
        ("?", "invalid_json"),
    ):
        async with calling(server, LIVE) as socket:
            await socket.send(text)
            assert await refusal(socket) == (code, 1008)


async def test_earlier_messages_need_an_engine_that_reads(server: GatewayServer) -> None:
    async with calling(server, LIVE) as socket:
        await socket.send(start(input=[{"role": "user", "content": [{"text": "Hi"}]}]))
        assert await refusal(socket) == ("text_not_supported", 1008)


async def test_a_key_opens_a_live_session(guarded: GatewayServer) -> None:
    async with calling(guarded, LIVE, key="sk-wrong") as socket:
        assert await refusal(socket) == ("invalid_api_key", 3000)
    async with calling(guarded, LIVE, key=KEY) as socket:
        await socket.send(start())
        assert (await event(socket))["type"] == "session.started"


async def test_webrtc_is_refused_with_a_typed_error(server: GatewayServer) -> None:
    async with httpx.AsyncClient(base_url=server.http) as http:
        answer = await http.post(f"{LIVE}/sess_1/fork", json={})
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_supported")


async def test_a_session_goes_on_after_a_lost_socket_on_another_gateway(
    server: GatewayServer, redis_url: str, worker: StandInWorker
) -> None:
    audio = {"format": {"type": "audio/pcm", "rate": 16_000}}
    async with calling(server, LIVE, query="?resume=new") as socket:
        await socket.send(start(audio=audio))
        session = (await event(socket))["session"]
        await socket.send(json.dumps({"type": "session.input_audio.mute"}))
        await event(socket, "session.input_audio.muted")
        await socket.send(append(bytes(2_560 * 2)))
        had = await event(socket, "session.output_audio.delta")
        socket.transport.abort()
    async with (
        running_gateway(redis_url) as other,
        calling(other, LIVE, query=f"?resume={session['resume']}&frame={had['frame']}") as socket,
    ):
        assert (await event(socket))["session"] == session
        await socket.send(append(b"\1" * 2_560 * 2))
        delta = await event(socket, "session.output_audio.delta")
        assert set(base64.b64decode(delta["delta"])) == {0}
        assert delta["frame"] > had["frame"]


async def test_a_wrong_resume_token_is_refused(server: GatewayServer) -> None:
    async with calling(server, LIVE, query=f"?resume={'0' * 32}.x") as socket:
        assert await refusal(socket) == ("session_not_found", 3000)
