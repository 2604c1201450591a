"""Telephone services at the gateway: Twilio's and Telnyx's sockets, signatures, TwiML."""

import asyncio
import base64
import contextlib
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gateway.realtime.keys import hash_of, new_key
from gateway.telephone.endpoint import TELNYX, TWILIO, VOICE
from gateway.telephone.signature import HEADER, signature
from shared.g711 import mulaw_decode
from shared.log.records import Typed
from shared.log.registry import Registry
from shared.log.session_log import SessionLog
from tests.patience import PATIENCE_S, until
from tests.redis.stage import GatewayServer, StandInWorker, running_gateway

pytestmark = pytest.mark.redis
ACCOUNT = "a" * 32
KEY = new_key()


def start(**parameters: str) -> str:
    media_format = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
    body = {"streamSid": "MZ1", "mediaFormat": media_format, "customParameters": parameters}
    return json.dumps({"event": "start", "streamSid": "MZ1", "start": body})


def media(data: bytes) -> str:
    payload = base64.b64encode(data).decode()
    return json.dumps({"event": "media", "media": {"track": "inbound", "payload": payload}})


@contextlib.asynccontextmanager
async def calling(
    server: GatewayServer, path: str = TWILIO, **headers: str
) -> AsyncIterator[ClientConnection]:
    url = f"ws://127.0.0.1:{server.port}{path}"
    async with connect(url, additional_headers=headers, compression=None) as socket:
        await socket.send('{"event":"connected","protocol":"Call","version":"1.0.0"}')
        yield socket


@contextlib.asynccontextmanager
async def gateway(
    redis_url: str, worker: StandInWorker, **settings: Any
) -> AsyncIterator[GatewayServer]:
    async with running_gateway(redis_url, **settings) as server:
        await server.sees(worker.slots)
        yield server


async def events(socket: ClientConnection, kind: str, count: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(PATIENCE_S):
        while len(found) < count:
            event: dict[str, Any] = json.loads(await socket.recv())
            if event["event"] == kind:
                found.append(event)
    return found


async def nobody_calls(redis: Redis) -> bool:
    return not await Registry(redis).sessions()


@pytest.mark.parametrize("path", [TWILIO, TELNYX])
async def test_a_call_is_echoed_and_ends_with_stop(
    server: GatewayServer, redis_client: Redis, path: str
) -> None:
    async with calling(server, path) as socket:
        await socket.send(start(record="true"))
        for _ in range(25):  # half a second of a loud square wave
            await socket.send(media(b"\x20\xa0" * 80))
        (first,) = await events(socket, "media", 1)
        (mark,) = await events(socket, "mark", 1)
        assert mark["mark"]["name"].isdecimal()
        assert first["streamSid"] == "MZ1"
        assert abs(mulaw_decode(base64.b64decode(first["media"]["payload"]))).max() > 1_000
        await socket.send(json.dumps(mark))
        (sid,) = await Registry(redis_client).sessions()
        (meta,) = await SessionLog(redis_client).metas([sid])
        assert meta is not None
        assert meta.record == 1
        await socket.send('{"event":"stop"}')
        await asyncio.wait_for(socket.wait_closed(), PATIENCE_S)
        assert socket.close_code == 1000
    await until(lambda: nobody_calls(redis_client))


@pytest.mark.parametrize("reads", [True, False])
async def test_keys_reach_an_engine_that_reads(
    server: GatewayServer, worker: StandInWorker, reads: bool
) -> None:
    worker.text = reads
    await until(lambda: server.gateway.fleet.takes_text(time.monotonic()) is reads)
    async with calling(server) as socket:
        await socket.send(start(keys="true"))
        for key in "42#":
            await socket.send(json.dumps({"event": "dtmf", "dtmf": {"digit": key}}))
        for _ in range(12):
            await socket.send(media(b"\x20\xa0" * 80))
        assert await events(socket, "media", 1)
        (sid,) = worker.owned
        typed = [record.text for record in worker.inputs[sid] if isinstance(record, Typed)]
        assert typed == (["The caller pressed 4 2."] if reads else [])


async def test_only_twilio_opens_a_stream_of_an_account_with_a_token(
    redis_url: str, worker: StandInWorker
) -> None:
    async with gateway(redis_url, worker, twilio_auth_token=SecretStr(ACCOUNT)) as server:
        host = f"127.0.0.1:{server.port}"
        with pytest.raises(InvalidStatus) as refused:
            async with calling(server):
                pass
        assert refused.value.response.status_code == 403
        signed = signature(ACCOUNT, f"wss://{host}{TWILIO}", {})
        async with calling(server, **{HEADER: signed}) as socket:
            await socket.send(start())
            for _ in range(12):
                await socket.send(media(b"\x20\xa0" * 80))
            assert await events(socket, "media", 1)


async def test_the_numbers_webhook_answers_with_the_streams_address(
    redis_url: str, worker: StandInWorker
) -> None:
    form = {"CallSid": "CA1", "From": "+14158675309"}
    async with gateway(redis_url, worker, twilio_auth_token=SecretStr(ACCOUNT)) as server:
        url = f"http://127.0.0.1:{server.port}{VOICE}"
        async with httpx.AsyncClient(timeout=PATIENCE_S) as client:
            assert (await client.post(url, data=form)).status_code == 403
            signed = {HEADER: signature(ACCOUNT, url, form)}
            answer = await client.post(url, data=form, headers=signed)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/xml"
    assert f'<Stream url="wss://127.0.0.1:{server.port}{TWILIO}"/>' in answer.text


async def test_without_a_signature_a_gateway_with_keys_wants_one(
    redis_url: str, worker: StandInWorker
) -> None:
    async with gateway(redis_url, worker, gateway_api_keys=(f"test:{hash_of(KEY)}",)) as server:
        async with calling(server, TELNYX) as socket:
            await socket.send(start())
            with pytest.raises(ConnectionClosed):
                await asyncio.wait_for(socket.recv(), PATIENCE_S)
            assert socket.close_code == 4403
        async with calling(server, TELNYX) as socket:
            await socket.send(start(token=KEY))
            for _ in range(12):
                await socket.send(media(b"\x20\xa0" * 80))
            assert await events(socket, "media", 1)


async def test_a_stream_of_another_codec_is_refused_with_the_reason(server: GatewayServer) -> None:
    body = {"media_format": {"encoding": "L16", "sample_rate": 16000}}
    async with calling(server, TELNYX) as socket:
        await socket.send(json.dumps({"event": "start", "start": body}))
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(socket.recv(), PATIENCE_S)
        assert "L16" in (socket.close_reason or "")
