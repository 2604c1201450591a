"""Clients that break the protocol get an error, and other calls are not affected."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gateway.socket import handshake
from tests.patience import PATIENCE_S, until
from tests.redis.stage import SECOND, Caller, GatewayServer, StandInWorker

pytestmark = pytest.mark.redis

Offence = Callable[[Caller], Awaitable[None]]


async def half_a_sample(caller: Caller) -> None:
    await caller.socket.send(b"abc")


async def no_json(caller: Caller) -> None:
    await caller.socket.send("hello?")


async def unknown_type(caller: Caller) -> None:
    await caller.send("sing", song="Daisy")


async def unknown_field(caller: Caller) -> None:
    await caller.send("commit", now=True)


async def second_start(caller: Caller) -> None:
    await caller.send("start")


async def oversized_audio(caller: Caller) -> None:
    await caller.socket.send(bytes(64 * 1024 + 2))


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
    (half_a_sample, "bad_message", 4400),
    (no_json, "bad_message", 4400),
    (unknown_type, "bad_message", 4400),
    (unknown_field, "bad_message", 4400),
    (second_start, "bad_message", 4400),
    (oversized_audio, "too_large", 4413),
    (oversized_text, "too_large", 4413),
    (too_fast, "too_fast", 4429),
]


@pytest.mark.parametrize(("offence", "code", "close"), OFFENCES)
async def test_the_offender_gets_an_error_and_the_other_call_goes_on(
    server: GatewayServer, worker: StandInWorker, offence: Offence, code: str, close: int
) -> None:
    neighbour, offender = await server.caller(), await server.caller()
    await neighbour.socket.send(SECOND[:3_840])
    await neighbour.until_frame(4)
    await offence(offender)
    assert await offender.end_of() == (code, close)
    await neighbour.socket.send(SECOND[:3_840])
    await neighbour.until_frame(8)
    assert neighbour.pcm == SECOND[:3_840] * 2
    await until(lambda: len(worker.owned) == 1)  # the offender's slot is free again
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


async def test_an_origin_that_is_no_url_is_refused(server: GatewayServer) -> None:
    with pytest.raises(InvalidStatus) as caught:
        await server.plain(additional_headers={"Origin": "http://["})
    assert caught.value.response.status_code == 403


async def test_a_message_beyond_all_limits_ends_the_socket(
    server: GatewayServer, worker: StandInWorker
) -> None:
    caller = await server.caller()
    await caller.socket.send(bytes(1024 * 1024))
    await caller.socket.wait_closed()
    assert caller.socket.close_code == 1009
    caller = await server.caller()
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
    await socket.send(b"abc")
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
