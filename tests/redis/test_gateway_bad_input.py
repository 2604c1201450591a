"""What a gateway does with clients that break the rules, and that their neighbours notice none."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gateway.socket import handshake
from tests.patience import PATIENCE_S, until
from tests.redis.stage import SECOND, Caller, Place, StandInWorker

pytestmark = pytest.mark.redis

Misdeed = Callable[[Caller], Awaitable[None]]


async def half_a_sample(caller: Caller) -> None:
    await caller.socket.send(b"abc")


async def no_json(caller: Caller) -> None:
    await caller.socket.send("hello?")


async def unknown_type(caller: Caller) -> None:
    await caller.say("sing", song="Daisy")


async def unknown_field(caller: Caller) -> None:
    await caller.say("commit", now=True)


async def second_start(caller: Caller) -> None:
    await caller.say("start")


async def oversized_audio(caller: Caller) -> None:
    await caller.socket.send(bytes(64 * 1024 + 2))


async def oversized_text(caller: Caller) -> None:
    await caller.say("ping", t="x" * 8_192)


async def ping_for_ever(caller: Caller) -> None:
    """Pongs leave at once, so they fill the socket and the outbox faster than audio would."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            await caller.say("ping", t="x" * 8_000)


async def too_fast(caller: Caller) -> None:
    for _ in range(4):
        await caller.socket.send(SECOND)


MISDEEDS: list[tuple[Misdeed, str, int]] = [
    (half_a_sample, "bad_message", 4400),
    (no_json, "bad_message", 4400),
    (unknown_type, "bad_message", 4400),
    (unknown_field, "bad_message", 4400),
    (second_start, "bad_message", 4400),
    (oversized_audio, "too_large", 4413),
    (oversized_text, "too_large", 4413),
    (too_fast, "too_fast", 4429),
]


@pytest.mark.parametrize(("misdeed", "code", "close"), MISDEEDS)
async def test_the_culprit_is_told_and_the_neighbour_goes_on(
    place: Place, worker: StandInWorker, misdeed: Misdeed, code: str, close: int
) -> None:
    neighbour, culprit = await place.caller(), await place.caller()
    await neighbour.socket.send(SECOND[:3_840])
    await neighbour.until_frame(4)
    await misdeed(culprit)
    assert await culprit.end_of() == (code, close)
    await neighbour.socket.send(SECOND[:3_840])
    await neighbour.until_frame(8)
    assert neighbour.pcm == SECOND[:3_840] * 2
    await until(lambda: len(worker.owned) == 1)  # the culprit's slot is free again
    await neighbour.say("end")


async def test_a_fault_of_ours_in_a_message_is_told(
    place: Place, worker: StandInWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ArithmeticError("by way of trial")

    caller = await place.caller()
    (session,) = place.gateway.sessions
    monkeypatch.setattr(session._uplink, "push_audio", fail)
    await caller.socket.send(SECOND[:3_840])
    assert await caller.end_of() == ("internal", 4500)


async def test_an_origin_that_is_no_address_is_a_foreign_one(place: Place) -> None:
    with pytest.raises(InvalidStatus) as caught:
        await place.plain(additional_headers={"Origin": "http://["})
    assert caught.value.response.status_code == 403


async def test_a_message_beyond_all_limits_ends_the_socket(
    place: Place, worker: StandInWorker
) -> None:
    caller = await place.caller()
    await caller.socket.send(bytes(1024 * 1024))
    await caller.socket.wait_closed()
    assert caller.socket.close_code == 1009
    caller = await place.caller()
    await caller.say("end")


@pytest.mark.parametrize("first", ["hello", '{"type":"commit"}', b"\0\0"])
async def test_the_first_message_is_start(place: Place, first: str | bytes) -> None:
    caller = await place.native()
    await caller.socket.send(first)
    assert await caller.end_of() == ("bad_message", 4400)


async def test_who_says_nothing_is_sent_away(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshake, "START_WITHIN_S", 0.1)
    caller = await place.native()
    assert await caller.end_of() == ("start_timeout", 4408)


async def test_a_plain_client_is_told_too(place: Place, worker: StandInWorker) -> None:
    socket = await place.plain()
    await socket.send(b"abc")
    error = json.loads(await asyncio.wait_for(socket.recv(), PATIENCE_S))
    assert error["code"] == "bad_message"
    await socket.wait_closed()
    assert socket.close_code == 4400
    await until(lambda: not worker.owned)


async def test_a_foreign_page_gets_403(place: Place) -> None:
    for origin in ("https://evil.example", "null", place.http + ".evil.example"):
        with pytest.raises(InvalidStatus) as caught:
            await place.plain(additional_headers={"Origin": origin})
        assert caught.value.response.status_code == 403
    socket = await place.plain(additional_headers={"Origin": place.http})
    await socket.close()


async def test_who_does_not_read_is_cut_off_and_the_neighbour_goes_on(
    place: Place, worker: StandInWorker
) -> None:
    neighbour, culprit = await place.caller(), await place.caller()
    sid = culprit.events[0]["session"]
    culprit.socket.transport.pause_reading()
    pinging = asyncio.create_task(ping_for_ever(culprit))
    await until(lambda: all(s.sid != sid for s in place.gateway.sessions))
    pinging.cancel()
    await neighbour.socket.send(SECOND[:3_840])
    await neighbour.until_frame(4)
    await neighbour.say("end")
    culprit.socket.transport.abort()
