"""The Realtime API's door on a real Redis: keys, client secrets, refusals, models."""

import asyncio
import base64
import contextlib
import gc
import json
import time
import weakref
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from gateway.realtime.audio_codecs import MAX_APPEND_BYTES
from gateway.realtime.endpoint import MAX_MESSAGE_BYTES
from gateway.realtime.intake import Intake
from gateway.realtime.keys import hash_of
from shared.audio import CHUNK_BYTES
from shared.log import keys
from shared.log.records import (
    Audio,
    Brief,
    Commit,
    OutputRecord,
    ReplyDone,
    ReplyStarted,
    Speech,
    SpeechStopped,
)
from tests.patience import PATIENCE_S, until
from tests.redis.openai_door import KEY, REALTIME, calling, event, refusal
from tests.redis.stage import GatewayServer, StandInWorker, running_gateway

SOUND = "response.output_audio.delta"


async def say(
    worker: StandInWorker, sid: str, sound: bytes, *, chunks: range, started: bool = False
) -> None:
    """Let the worker say these chunks of a reply, and end it with the last."""
    records: list[OutputRecord] = [SpeechStopped(1), ReplyStarted(1, 1)] if started else []
    records += [
        Speech(1 + 4 * at, 1, sound[at * CHUNK_BYTES : (at + 1) * CHUNK_BYTES]) for at in chunks
    ]
    if chunks.stop * CHUNK_BYTES >= len(sound):
        records.append(ReplyDone(1, 1 + 4 * chunks.stop, "end"))
    await worker.say(sid, *records, frame=4 * chunks.stop, generation=1)


async def test_a_session_begins_without_a_key_where_none_is_needed(server: GatewayServer) -> None:
    async with calling(server, query="?model=gpt-realtime-2.1") as socket:
        created = await event(socket)
        assert created["type"] == "session.created"
        assert created["session"]["model"] == "gpt-realtime-2.1"


async def test_a_wrong_key_is_refused_after_the_accept(guarded: GatewayServer) -> None:
    async with calling(guarded, key="sk-wrong") as socket:
        assert await refusal(socket) == ("invalid_api_key", 3000)
    async with calling(guarded) as socket:
        assert await refusal(socket) == ("invalid_api_key", 3000)
    async with calling(guarded, key=KEY) as socket:
        assert (await event(socket))["type"] == "session.created"


async def test_a_browser_sends_its_key_as_a_subprotocol_which_is_never_echoed(
    guarded: GatewayServer, caplog: pytest.LogCaptureFixture
) -> None:
    names = ("realtime", f"openai-insecure-api-key.{KEY}", "openai-agents-sdk.0.24.0")
    protocols = [Subprotocol(name) for name in names]
    origin: Any = "https://elsewhere.example"
    with caplog.at_level("DEBUG", logger="gateway"):
        async with calling(guarded, subprotocols=protocols, origin=origin) as socket:
            assert socket.subprotocol == "realtime"
            assert (await event(socket))["type"] == "session.created"
    assert KEY not in caplog.text


async def test_another_page_needs_a_key(server: GatewayServer) -> None:
    origin: Any = "https://elsewhere.example"
    with pytest.raises(InvalidStatus):
        async with calling(server, origin=origin):
            pass


async def test_a_client_secret_begins_a_session_of_its_configuration(
    guarded: GatewayServer, redis_client: Redis, worker: StandInWorker
) -> None:
    session = {"type": "realtime", "instructions": "Be brief.", "tools": [{"type": "function"}]}
    body = {"expires_after": {"anchor": "created_at", "seconds": 60}, "session": session}
    url = f"{guarded.http}{REALTIME}/client_secrets"
    async with httpx.AsyncClient(
        timeout=PATIENCE_S, headers={"Authorization": f"Bearer {KEY}"}
    ) as http:
        answer = (await http.post(url, json=body)).json()
    assert answer["value"].startswith("ek_")
    assert 50 <= answer["expires_at"] - time.time() <= 61
    assert answer["session"]["instructions"] == "Be brief."
    name = keys.client_secret(hash_of(answer["value"]))
    assert 50 <= await redis_client.ttl(name) <= 60
    assert answer["value"] not in str(await redis_client.keys("*"))
    async with calling(guarded, key=answer["value"]) as socket:
        created = await event(socket)
        assert created["session"]["instructions"] == "Be brief."
        assert created["session"]["tools"] == []
        sid = created["session"]["id"].removeprefix("sess_")
        await until(lambda: Brief("Be brief.", "") in worker.inputs[sid])
    await redis_client.delete(name)
    async with calling(guarded, key=answer["value"]) as socket:
        assert await refusal(socket) == ("invalid_api_key", 3000)


async def test_client_secrets_are_made_with_a_key_alone_and_within_bounds(
    guarded: GatewayServer,
) -> None:
    url = f"{guarded.http}{REALTIME}/client_secrets"
    async with httpx.AsyncClient(timeout=PATIENCE_S) as http:
        assert (await http.post(url, json={})).json()["error"]["code"] == "invalid_api_key"
        http.headers["Authorization"] = f"Bearer {KEY}"
        for wrong in (
            {"expires_after": {"seconds": 9}},
            {"expires_after": {"seconds": 7_201}},
            {"session": {"audio": {"input": {"format": {"type": "audio/opus"}}}}},
            {"session": 3},
        ):
            answer = await http.post(url, json=wrong)
            assert answer.status_code == 400, wrong
            assert answer.json()["error"]["type"] == "invalid_request_error"
        secret = (await http.post(url, json={})).json()["value"]
        http.headers["Authorization"] = f"Bearer {secret}"
        assert (await http.post(url, json={})).status_code == 401


async def test_models_are_listed_for_those_who_have_a_key(guarded: GatewayServer) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE_S, base_url=guarded.http) as http:
        assert (await http.get("/v1/models")).status_code == 401
        http.headers["Authorization"] = f"Bearer {KEY}"
        listed = (await http.get("/v1/models")).json()
        assert [model["id"] for model in listed["data"]] == ["antiphon"]
        assert (await http.get("/v1/models/antiphon")).json()["object"] == "model"
        missing = await http.get("/v1/models/gpt-9")
        assert (missing.status_code, missing.json()["error"]["code"]) == (404, "model_not_found")
        webrtc = await http.post("/v1/realtime/calls", content="v=0")
        assert (webrtc.status_code, webrtc.json()["error"]["code"]) == (404, "not_supported")


async def test_what_openai_alone_has_is_refused_clearly(server: GatewayServer) -> None:
    for query in ("?intent=transcription", "?call_id=rtc_1"):
        async with calling(server, query=query) as socket:
            assert await refusal(socket) == ("invalid_value", 1008)


async def test_a_whole_recording_may_come_in_one_message_of_a_bounded_size(
    server: GatewayServer, worker: StandInWorker
) -> None:
    async with calling(server, query="?model=any") as socket:
        await event(socket, "session.created")
        append = {"type": "input_audio_buffer.append", "audio": "AAAA" * (MAX_APPEND_BYTES // 3)}
        await socket.send(json.dumps(append))
        await socket.send(json.dumps({"type": "input_audio_buffer.clear"}))
        await event(socket, "input_audio_buffer.cleared")
        sid = next(iter(worker.owned))
        await until(lambda: any(isinstance(record, Audio) for record in worker.inputs[sid]))
    async with calling(server, query="?model=any") as socket:
        await event(socket, "session.created")
        larger = {**append, "event_id": "large", "audio": append["audio"] + "AAAA"}
        await socket.send(json.dumps(larger))
        error = (await event(socket, "error"))["error"]
        assert (error["code"], error["param"]) == ("invalid_value", "audio")
        assert (error["type"], error["event_id"]) == ("invalid_request_error", "large")
        await socket.send(json.dumps({**append, "audio": "A" * MAX_MESSAGE_BYTES}))
        assert await refusal(socket) == ("message_too_large", 1009)


async def test_sound_that_waits_is_gone_with_its_socket_at_once(server: GatewayServer) -> None:
    gc.collect()
    gc.disable()
    try:
        async with calling(server) as socket:
            await event(socket, "session.created")
            append = {"type": "input_audio_buffer.append", "audio": "AAAA" * 960_000}  # 60 s
            await socket.send(json.dumps(append))
            await socket.send(json.dumps({"type": "input_audio_buffer.clear"}))
            await event(socket, "input_audio_buffer.cleared")
            (intake,) = [weakref.ref(o) for o in gc.get_objects() if type(o) is Intake]
        await until(lambda: intake() is None)
    finally:
        gc.enable()


async def test_a_large_message_is_not_read_before_its_client_has_shown_a_key(
    guarded: GatewayServer,
) -> None:
    large = json.dumps({"type": "input_audio_buffer.append", "audio": "AAAA" * 3_000_000})
    async with calling(guarded, key=KEY) as socket:
        await socket.send(large)
        assert (await event(socket))["type"] == "session.created"
        await socket.send(json.dumps({"type": "input_audio_buffer.clear"}))
        await event(socket, "input_audio_buffer.cleared")
    async with calling(guarded, key="sk-wrong") as socket:
        with contextlib.suppress(ConnectionClosed):
            await socket.send(large)
        assert await refusal(socket) == ("invalid_api_key", 3000)


async def test_a_full_fleet_says_so_after_the_accept(
    server: GatewayServer, worker: StandInWorker
) -> None:
    worker.slots = 0
    await server.sees(0)
    async with calling(server) as socket:
        assert await refusal(socket) == ("no_capacity", 1013)


async def test_a_session_ends_with_its_socket(server: GatewayServer, worker: StandInWorker) -> None:
    async with calling(server) as socket:
        sid = (await event(socket))["session"]["id"].removeprefix("sess_")
        audio = "AAAA" * 3_200  # 200 ms
        await socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))
        await socket.send(json.dumps({"type": "input_audio_buffer.commit"}))
        await until(lambda: any(isinstance(record, Commit) for record in worker.inputs[sid]))
        socket.transport.abort()
    await until(lambda: not worker.owned)


async def test_a_gateway_that_leaves_closes_with_a_code_that_clients_reconnect_after(
    redis_url: str, worker: StandInWorker
) -> None:
    async with running_gateway(redis_url) as server:
        await server.sees(worker.slots)
        async with calling(server) as socket:
            await event(socket)
            server.uvicorn.should_exit = True
            with pytest.raises(ConnectionClosed):
                await asyncio.wait_for(socket.recv(), PATIENCE_S)
            assert socket.close_code == 1012


async def test_a_client_that_asked_for_it_resumes_without_a_gap_on_another_gateway(
    server: GatewayServer, redis_url: str, worker: StandInWorker
) -> None:
    said = bytes(range(256)) * 15 * 20  # 20 chunks of 3,840 bytes
    async with calling(server, query="?resume=new") as socket:
        created = await event(socket)
        token, sid = created["session"]["resume"], created["session"]["id"].removeprefix("sess_")
        await say(worker, sid, said, chunks=range(10), started=True)
        begun = [await event(socket, kind) for kind in ("response.created", SOUND)]
        socket.transport.abort()
    heard = base64.b64decode(begun[1]["delta"])
    async with running_gateway(redis_url) as other:
        query = f"?resume={token}&frame={begun[1]['frame']}"
        async with calling(other, query=query) as socket:
            assert (await event(socket))["session"]["id"] == created["session"]["id"]
            await say(worker, sid, said, chunks=range(10, 20))
            events = [await event(socket)]
            while events[-1]["type"] != "response.done":
                events.append(await event(socket))
    heard += b"".join(base64.b64decode(e["delta"]) for e in events if e["type"] == SOUND)
    assert heard == said
    assert {e["type"] for e in events} == {
        *(SOUND, "response.output_audio.done", "response.output_audio_transcript.done"),
        *("response.content_part.done", "response.output_item.done", "conversation.item.done"),
        "response.done",
    }
    assert {e.get("item_id", begun[1]["item_id"]) for e in events} == {begun[1]["item_id"]}
    assert events[-1]["response"]["id"] == begun[0]["response"]["id"]


async def test_another_gateway_knows_the_configuration_and_the_items(
    server: GatewayServer, redis_url: str, redis_client: Redis, worker: StandInWorker
) -> None:
    item = {"type": "message", "role": "assistant", "id": "mine", "content": [{"type": "text"}]}
    async with calling(server, query="?resume=new") as socket:
        created = await event(socket)
        token, sid = created["session"]["resume"], created["session"]["id"].removeprefix("sess_")
        await socket.send(json.dumps({"type": "conversation.item.create", "item": item}))
        update = {"type": "session.update", "session": {"instructions": "Be brief."}}
        await socket.send(json.dumps(update))
        updated = await event(socket, "session.updated")
        socket.transport.abort()
    async with running_gateway(redis_url) as other:
        async with calling(other, query=f"?resume={token}") as socket:
            assert (await event(socket))["session"] == updated["session"]
            retrieve = {"type": "conversation.item.retrieve", "item_id": "mine"}
            await socket.send(json.dumps(retrieve))
            assert (await event(socket))["item"]["id"] == "mine"
        await until(lambda: sid not in worker.owned)
    assert await redis_client.keys(keys.client(sid)) == []


async def test_a_wrong_resume_token_is_refused(server: GatewayServer) -> None:
    async with calling(server, query=f"?resume={'0' * 32}.x") as socket:
        assert await refusal(socket) == ("session_not_found", 3000)
    async with calling(server, query=f"?resume={'0' * 32}.x&frame=many") as socket:
        assert await refusal(socket) == ("invalid_value", 1008)
