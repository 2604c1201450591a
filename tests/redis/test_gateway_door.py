"""Who gets in: limits by address, tokens, tokens that are guessed, connections that only wait."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import jwt
import pytest
from redis.asyncio import Redis

from gateway.protocol.client_messages import Resume, ResumePoint
from gateway.protocol.errors import CallError, ErrorCode
from gateway.socket import request_deadlines, uvicorn_adapter
from gateway.socket.listener import raise_descriptor_limit
from tests.patience import PATIENCE_S, until
from tests.redis.stage import SECOND, Caller, Place, StandInWorker, running_gateway, speak

pytestmark = pytest.mark.redis

SECRET = "0123456789abcdef" * 2
GUESSES = 10_000
PARTIAL = 500


@pytest.fixture
async def strict(redis_url: str, worker: StandInWorker) -> AsyncIterator[Place]:
    """A gateway behind a proxy on this machine, which lets two callers of an address in."""
    settings = {"gateway_trusted_proxies": "127.0.0.1", "gateway_max_per_address": 2}
    async with running_gateway(redis_url, lease_ms=30_000, **settings) as place:
        await until(lambda: place.gateway.fleet.free(time.monotonic()) == worker.slots)
        yield place


@pytest.fixture
async def guarded(redis_url: str, worker: StandInWorker) -> AsyncIterator[Place]:
    """A gateway that asks for tokens."""
    async with running_gateway(redis_url, lease_ms=30_000, gateway_auth_secret=SECRET) as place:
        await until(lambda: place.gateway.fleet.free(time.monotonic()) == worker.slots)
        yield place


async def come(place: Place, address: str, **start: Any) -> Caller:
    """A caller of this address, who has said `start`."""
    headers = {"X-Forwarded-For": address}
    socket = await place.plain(subprotocols=["antiphon.v1"], additional_headers=headers)
    caller = Caller(socket)
    await caller.say("start", **start)
    return caller


def token(jti: str, **changed: Any) -> str:
    now = int(time.time())
    claims = {"aud": "antiphon", "iat": now, "exp": now + 60, "jti": jti, **changed}
    return jwt.encode(claims, SECRET, algorithm="HS256")


async def test_an_address_gets_so_many_calls_and_its_neighbour_as_many(strict: Place) -> None:
    callers = [await come(strict, "203.0.113.5") for _ in range(3)]
    for caller in callers[:2]:
        await caller.until("ready")
    assert (await callers[2].until("error"))["retry_after_ms"] > 0
    assert await callers[2].end_of() == ("no_capacity", 4503)
    neighbour = await come(strict, "203.0.113.6")
    await neighbour.until("ready")
    for caller in (*callers[:2], neighbour):
        await caller.say("end")


async def test_a_lost_call_holds_its_place_and_is_found_again(strict: Place) -> None:
    first, second = [await come(strict, "203.0.113.5") for _ in range(2)]
    ready = await first.until("ready")
    await second.until("ready")
    await speak(first, 0.2)
    await first.until_frame(8)
    first.socket.transport.abort()
    await until(lambda: len(strict.gateway.sessions) == 1)
    assert await (await come(strict, "203.0.113.5")).end_of() == ("no_capacity", 4503)
    wish = {"session": ready["session"], "token": ready["token"], "frame": 8}
    again = await come(strict, "203.0.113.5", resume=wish)
    assert (await again.until("ready"))["outcome"] == "recovered"
    for caller in (second, again):
        await caller.say("end")
        await caller.socket.wait_closed()
    assert not strict.gateway.limits._lost_calls


async def test_only_a_trusted_proxy_names_an_address(place: Place, worker: StandInWorker) -> None:
    caller = await come(place, "203.0.113.5")
    await caller.until("ready")
    assert dict(place.gateway.limits._sockets) == {"": 1}
    await caller.say("end")


async def test_a_token_begins_one_call(
    guarded: Place, worker: StandInWorker, redis_client: Redis
) -> None:
    good = token("once")
    caller = await guarded.caller(auth=good)
    ready = caller.events[0]
    await speak(caller, 0.2)
    again = await guarded.native()
    await again.say("start", auth=good)
    assert await again.end_of() == ("unauthorized", 4403)
    assert len(await redis_client.keys("s:*:meta")) == 1
    (spent,) = await redis_client.keys("c:spent:*")
    assert 60 <= await redis_client.ttl(spent) <= 66
    back = await guarded.native()  # the resume token is proof enough
    wish = {"session": ready["session"], "token": ready["token"], "frame": 0}
    await back.say("start", resume=wish)
    await back.until("ready")
    await back.say("end")


async def test_a_token_is_good_until_a_call_begins(
    guarded: Place, worker: StandInWorker, redis_client: Redis
) -> None:
    good = token("kept")
    fleet = guarded.gateway.fleet
    most, fleet.max_sessions = fleet.max_sessions, 0
    refused = await guarded.native()
    await refused.say("start", auth=good)
    assert (await refused.end_of())[0] == "no_capacity"
    fleet.max_sessions = most
    assert await redis_client.keys("c:spent:*") == []
    caller = await guarded.caller(auth=good)
    await caller.say("end")


async def test_a_token_of_a_call_that_no_worker_took_is_good_again(
    guarded: Place, worker: StandInWorker, redis_client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = token("untaken")
    with monkeypatch.context() as patched:
        patched.setattr(guarded.gateway.opener, "claim_within_s", 0.0)
        refused = await guarded.native()
        await refused.say("start", auth=good)
        assert (await refused.end_of())[0] == "no_capacity"
    caller = await guarded.caller(auth=good)
    await caller.say("end")


@pytest.mark.parametrize(
    "auth",
    [
        pytest.param({}, id="missing"),
        pytest.param({"auth": None}, id="null"),
        pytest.param({"auth": token("a", exp=int(time.time()) - 30, iat=1)}, id="expired"),
        pytest.param({"auth": token("b")[:-4] + "AAAA"}, id="forged"),
        pytest.param({"auth": jwt.encode({"jti": "c"}, "", algorithm="none")}, id="alg none"),
        pytest.param({"auth": jwt.encode({}, SECRET[::-1], algorithm="HS256")}, id="another's"),
    ],
)
async def test_a_bad_token_leaves_no_key(
    guarded: Place, redis_client: Redis, auth: dict[str, str | None]
) -> None:
    caller = await guarded.native()
    await caller.say("start", **auth)
    assert await caller.end_of() == ("unauthorized", 4403)
    assert await redis_client.keys("s:*") == []
    assert await redis_client.keys("c:spent:*") == []
    assert await redis_client.llen("c:queue") == 0


async def test_a_client_that_cannot_show_a_token_is_refused(
    guarded: Place, redis_client: Redis
) -> None:
    socket = await guarded.plain()
    assert "unauthorized" in str(await socket.recv())
    await socket.wait_closed()
    assert socket.close_code == 4403
    assert await redis_client.keys("s:*") == []
    async with httpx.AsyncClient(base_url=guarded.http) as client:
        answer = await client.get("/api/config")
    assert answer.json()["auth"] is True
    assert SECRET not in answer.text


async def test_no_guess_of_a_resume_token_succeeds(place: Place, worker: StandInWorker) -> None:
    caller, other = await place.caller(), await place.caller()
    sid = str(caller.events[0]["session"])
    guesses = [f"{number:022}" for number in range(GUESSES - 1)] + [other.events[0]["token"]]

    async def guess(text: str) -> ErrorCode | None:
        try:
            await place.gateway.resumer.resume(
                Resume(resume=ResumePoint(session=sid, token=text, frame=0))
            )
        except CallError as error:
            return error.code
        return None

    for at in range(0, GUESSES, 20):
        answers = await asyncio.gather(*map(guess, guesses[at : at + 20]))
        assert set(answers) == {ErrorCode.BAD_TOKEN}
    await caller.socket.send(SECOND[:3_840])  # nobody has taken it over
    await caller.until_frame(4)
    for each in (caller, other):
        await each.say("end")


async def test_connections_that_only_wait_keep_nobody_out(
    place: Place, worker: StandInWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    raise_descriptor_limit()  # both ends of each are in this process
    monkeypatch.setattr(request_deadlines, "REQUEST_WITHIN_S", 60.0)
    async with half_requests(place, PARTIAL) as waiting:
        caller = await place.caller()
        async with httpx.AsyncClient(base_url=place.http) as client:
            assert (await client.get("/health")).status_code == 200
        await caller.socket.send(SECOND[:3_840])
        await caller.until_frame(4)
        assert not any(reader.at_eof() for reader in waiting)
        await caller.say("end")


async def test_connections_that_only_wait_are_closed(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_deadlines, "REQUEST_WITHIN_S", 0.1)
    async with half_requests(place, 3) as waiting:
        for reader in waiting:
            assert await asyncio.wait_for(reader.read(), PATIENCE_S) == b""


@asynccontextmanager
async def half_requests(place: Place, count: int) -> AsyncIterator[list[asyncio.StreamReader]]:
    """So many connections whose request never ends."""
    pairs = [await asyncio.open_connection("127.0.0.1", place.port) for _ in range(count)]
    for _, writer in pairs:
        writer.write(b"GET /ws/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n")
    try:
        yield [reader for reader, _ in pairs]
    finally:
        for _, writer in pairs:
            writer.transport.abort()


async def test_who_waits_longest_for_nothing_goes_first(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_deadlines, "MAX_WAITING", 3)
    async with half_requests(place, 5) as waiting:
        for reader in waiting[:2]:
            assert await asyncio.wait_for(reader.read(), PATIENCE_S) == b""
        assert not any(reader.at_eof() for reader in waiting[2:])


async def test_a_connection_that_died_without_a_word_is_found(
    redis_url: str, worker: StandInWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uvicorn_adapter, "WS_PING_EVERY_S", 0.1)
    monkeypatch.setattr(uvicorn_adapter, "WS_PING_TIMEOUT_S", 0.2)
    async with running_gateway(redis_url, lease_ms=30_000) as place:
        await until(lambda: place.gateway.fleet.free(time.monotonic()))
        caller = await place.caller()
        caller.socket.transport.pause_reading()  # it answers no ping, and closes nothing
        await until(lambda: not place.gateway.sessions)
        await until(lambda: not place.server.server_state.connections)
