"""Clients that break the protocol get an error, and other calls are not affected."""

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gateway.socket import handshake
from tests.patience import PATIENCE_S, until
from tests.redis.stage import SECOND, Caller, GatewayServer, StandInWorker

pytestmark = pytest.mark.redis

Offence = Callable[[Caller], Awaitable[None]]


async def no_json(caller: Caller) -> None:
    await caller.socket.send("hello?")


async def unknown_type(caller: Caller) -> None:
    await caller.send("sing", song="Daisy")


async def unknown_field(caller: Caller) -> None:
    await caller.send("commit", now=True)


async def second_start(caller: Caller) -> None:
    await caller.send("start")


async def oversized_fragments(caller: Caller) -> None:
    await caller.socket.send([bytes(65_536)] * 11)


async def no_utf8(caller: Caller) -> None:
    await caller.socket.send(b"\xff\xfe", text=True)


async def two_minutes_at_once(caller: Caller) -> None:
    await caller.socket.send(SECOND * 120)


async def oversized_text(caller: Caller) -> None:
    await caller.send("ping", t="x" * 8_192)


async def ping_for_ever(caller: Caller) -> None:
    """Pongs leave at once, so they fill socket and outbox faster than audio would."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            await caller.send("ping", t="x" * 8_000)


async def too_fast(caller: Caller) -> None:
    for _ in range(4):
        await caller.socket.send(SECOND)


OFFENCES: list[tuple[Offence, str, int]] = [
    (no_json, "bad_message", 4400),
    (unknown_type, "bad_message", 4400),
    (unknown_field, "bad_message", 4400),
    (second_start, "bad_message", 4400),
    (oversized_fragments, "too_large", 1009),
    (no_utf8, "bad_message", 1007),
    (two_minutes_at_once, "too_fast", 4429),
    (oversized_text, "too_large", 4413),
    (too_fast, "too_fast", 4429),
]


@pytest.mark.parametrize(("offence", "code", "close"), OFFENCES)
async def test_the_offender_gets_an_error_and_may_resume_and_the_other_call_goes_on(
    server: GatewayServer, worker: StandInWorker, offence: Offence, code: str, close: int
) -> None:
    neighbour, offender = await server.caller(), await server.caller()
    for caller in (neighbour, offender):
        await caller.socket.send(SECOND[:3_840])
        await caller.until_frame(4)
    await offence(offender)
    assert await offender.end_of() == (code, close)
    if close > 4_000:
        assert offender.socket.close_reason
    ready = offender.events[0]
    ticket = {"session": ready["session"], "token": ready["token"], "frame": 4}
    again = await server.caller(resume=ticket)
    assert again.events[0]["next_frame"] == 5
    await again.send("end")
    await neighbour.socket.send(SECOND[:3_840])
    await neighbour.until_frame(8)
    assert neighbour.pcm == SECOND[:3_840] * 2
    await until(lambda: len(worker.owned) == 1)
    await neighbour.send("end")


async def test_an_exception_in_the_gateway_ends_the_call_with_internal(
    server: GatewayServer, worker: StandInWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ArithmeticError("by way of trial")

    caller = await server.caller()
    (session,) = server.gateway.sessions
    monkeypatch.setattr(session._uplink, "push_audio", fail)
    await caller.socket.send(SECOND[:3_840])
    assert await caller.end_of() == ("internal", 4500)


async def test_a_refused_upgrade_is_no_error_in_the_log(
    server: GatewayServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A stranger could fill the log with wrong paths."""
    with pytest.raises(InvalidStatus) as refused:
        await connect(server.url + "/wrong")
    assert refused.value.response.status_code == 404
    evil = {"Origin": "https://evil.example"}
    for _ in range(3):
        with pytest.raises(InvalidStatus):
            await server.plain(additional_headers=evil)
    lines = [r for r in caplog.records if r.levelno >= logging.WARNING]
    assert [r.levelname for r in lines] == ["WARNING"]
    assert "'https://evil.example'" in lines[0].getMessage()


async def test_an_origin_that_is_no_url_is_refused(server: GatewayServer) -> None:
    with pytest.raises(InvalidStatus) as caught:
        await server.plain(additional_headers={"Origin": "http://["})
    assert caught.value.response.status_code == 403


@pytest.mark.parametrize("sizes", [[1] * 99 + [3_741], [3_839, 1], [3, 77_000, 1_921, 17_076]])
async def test_messages_of_any_size_carry_the_same_audio(
    server: GatewayServer, worker: StandInWorker, sizes: list[int]
) -> None:
    caller, sent = await server.caller(), bytes(range(240)) * 400
    at = 0
    for size in sizes:
        await caller.socket.send(sent[at : at + size])
        at += size
    whole = sum(sizes) // 3_840 * 3_840
    await caller.until_frame(whole // 960)
    assert caller.pcm == sent[:whole]
    await caller.send("end")


@pytest.mark.parametrize("first", ["hello", '{"type":"commit"}', b"\0\0"])
async def test_the_first_message_is_start(server: GatewayServer, first: str | bytes) -> None:
    caller = await server.native()
    await caller.socket.send(first)
    assert await caller.end_of() == ("bad_message", 4400)


async def test_a_client_that_sends_no_start_gets_start_timeout(
    server: GatewayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handshake, "START_WITHIN_S", 0.1)
    caller = await server.native()
    assert await caller.end_of() == ("start_timeout", 4408)


async def test_a_plain_client_gets_errors_too(server: GatewayServer, worker: StandInWorker) -> None:
    socket = await server.plain()
    await socket.send("hello")
    error = json.loads(await asyncio.wait_for(socket.recv(), PATIENCE_S))
    assert error["code"] == "bad_message"
    await socket.wait_closed()
    assert socket.close_code == 4400
    await until(lambda: not worker.owned)


async def test_a_foreign_page_gets_403(server: GatewayServer) -> None:
    for origin in ("https://evil.example", "null", server.http + ".evil.example"):
        with pytest.raises(InvalidStatus) as caught:
            await server.plain(additional_headers={"Origin": origin})
        assert caught.value.response.status_code == 403
    socket = await server.plain(additional_headers={"Origin": server.http})
    await socket.close()


async def test_a_client_that_does_not_read_is_cut_off_and_the_other_call_goes_on(
    server: GatewayServer, worker: StandInWorker
) -> None:
    neighbour, offender = await server.caller(), await server.caller()
    sid = offender.events[0]["session"]
    offender.socket.transport.pause_reading()
    pinging = asyncio.create_task(ping_for_ever(offender))
    await until(lambda: all(s.sid != sid for s in server.gateway.sessions))
    pinging.cancel()
    await neighbour.socket.send(SECOND[:3_840])
    await neighbour.until_frame(4)
    await neighbour.send("end")
    offender.socket.transport.abort()


async def test_another_subprotocol_is_refused_with_a_reason(server: GatewayServer) -> None:
    socket = await server.plain(subprotocols=["antiphon.v2"])
    error = json.loads(await asyncio.wait_for(socket.recv(), PATIENCE_S))
    assert error["code"] == "bad_message"
    await socket.wait_closed()
    assert socket.close_code == 4400
    assert socket.close_reason is not None
    assert "Expected the subprotocol antiphon.v1" in socket.close_reason


@pytest.mark.parametrize("path", ["/", "/ws", "/ws/stream/", "/web/", "/api/config"])
async def test_a_socket_at_another_path_is_told_where_calls_are(
    server: GatewayServer, path: str
) -> None:
    with pytest.raises(InvalidStatus) as caught:
        await connect(f"ws://127.0.0.1:{server.port}{path}")
    assert caught.value.response.status_code == 404
    assert b"Expected a WebSocket at /ws/stream" in caught.value.response.body


async def test_plain_http_at_the_path_of_calls_is_told_to_upgrade(server: GatewayServer) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE_S, base_url=server.http) as client:
        answer = await client.get("/ws/stream")
    assert answer.status_code == 426
    assert answer.headers["upgrade"] == "websocket"
    assert "Expected a WebSocket" in answer.text
