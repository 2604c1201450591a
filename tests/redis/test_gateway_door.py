"""Who may begin a call: limits by address, tokens, guessed tokens, idle connections."""

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
from gateway.socket.listening_sockets import raise_descriptor_limit
from tests.patience import PATIENCE_S, until
from tests.redis.stage import SECOND, Caller, GatewayServer, StandInWorker, running_gateway, speak

pytestmark = pytest.mark.redis

SECRET = "0123456789abcdef" * 2
GUESSES = 10_000
PARTIAL = 500


@pytest.fixture
async def strict(redis_url: str, worker: StandInWorker) -> AsyncIterator[GatewayServer]:
    """A gateway behind a proxy on this machine, with a limit of two calls an address."""
    settings: dict[str, Any] = {
        "gateway_trusted_proxies": "127.0.0.1",
        "gateway_max_per_address": 2,
    }
    async with running_gateway(redis_url, **settings) as server:
        await server.sees(worker.slots)
        yield server


@pytest.fixture
async def guarded(redis_url: str, worker: StandInWorker) -> AsyncIterator[GatewayServer]:
    """A gateway that needs tokens."""
    async with running_gateway(redis_url, gateway_auth_secret=SECRET) as server:
        await server.sees(worker.slots)
        yield server


async def come(server: GatewayServer, address: str, **start: Any) -> Caller:
    """A caller with this address who has sent `start`."""
    headers = {"X-Forwarded-For": address}
    socket = await server.plain(subprotocols=["antiphon.v1"], additional_headers=headers)
    caller = Caller(socket)
    await caller.send("start", **start)
    return caller


def token(jti: str, **changed: Any) -> str:
    now = int(time.time())
    claims = {"aud": "antiphon", "iat": now, "exp": now + 60, "jti": jti, **changed}
    return jwt.encode(claims, SECRET, algorithm="HS256")


async def test_each_address_has_a_limit_of_its_own(strict: GatewayServer) -> None:
    callers = [await come(strict, "203.0.113.5") for _ in range(3)]
    for caller in callers[:2]:
        await caller.until("ready")
    assert (await callers[2].until("error"))["retry_after_ms"] > 0
    assert await callers[2].end_of() == ("no_capacity", 4503)
    neighbour = await come(strict, "203.0.113.6")
    await neighbour.until("ready")
    for caller in (*callers[:2], neighbour):
        await caller.send("end")


async def test_a_lost_call_keeps_its_place_and_can_be_resumed(strict: GatewayServer) -> None:
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
        await caller.send("end")
        await caller.socket.wait_closed()
    assert not strict.gateway.limits._lost_calls


async def test_x_forwarded_for_counts_from_trusted_proxies_only(
    server: GatewayServer, worker: StandInWorker
) -> None:
    caller = await come(server, "203.0.113.5")
    await caller.until("ready")
    assert dict(server.gateway.limits._sockets) == {"": 1}
    await caller.send("end")


async def test_a_token_begins_one_call(
    guarded: GatewayServer, worker: StandInWorker, redis_client: Redis
) -> None:
    good = token("once")
    caller = await guarded.caller(auth=good)
    ready = caller.events[0]
    await speak(caller, 0.2)
    again = await guarded.native()
    await again.send("start", auth=good)
    assert await again.end_of() == ("unauthorized", 4403)
    assert len(await redis_client.keys("s:*:meta")) == 1
    (spent,) = await redis_client.keys("c:spent:*")
    assert 0 < await redis_client.ttl(spent) <= 66
    back = await guarded.native()  # needs the resume token only
    wish = {"session": ready["session"], "token": ready["token"], "frame": 0}
    await back.send("start", resume=wish)
    await back.until("ready")
    await back.send("end")


async def test_a_token_stays_valid_until_a_call_begins(
    guarded: GatewayServer, worker: StandInWorker, redis_client: Redis
) -> None:
    good = token("kept")
    fleet = guarded.gateway.fleet
    most, fleet.max_sessions = fleet.max_sessions, 0
    refused = await guarded.native()
    await refused.send("start", auth=good)
    assert (await refused.end_of())[0] == "no_capacity"
    fleet.max_sessions = most
    assert await redis_client.keys("c:spent:*") == []
    caller = await guarded.caller(auth=good)
    await caller.send("end")


async def test_a_token_is_valid_again_when_no_worker_took_the_call(
    guarded: GatewayServer,
    worker: StandInWorker,
    redis_client: Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    good = token("untaken")
    with monkeypatch.context() as patched:
        patched.setattr(guarded.gateway.opener, "claim_within_s", 0.0)
        refused = await guarded.native()
        await refused.send("start", auth=good)
        assert (await refused.end_of())[0] == "no_capacity"
    caller = await guarded.caller(auth=good)
    await caller.send("end")


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
    guarded: GatewayServer, redis_client: Redis, auth: dict[str, str | None]
) -> None:
    caller = await guarded.native()
    await caller.send("start", **auth)
    assert await caller.end_of() == ("unauthorized", 4403)
    assert await redis_client.keys("s:*") == []
    assert await redis_client.keys("c:spent:*") == []
    assert await redis_client.llen("c:queue") == 0


async def test_a_plain_client_cannot_send_a_token_and_is_refused(
    guarded: GatewayServer, redis_client: Redis
) -> None:
    socket = await guarded.plain()
    assert "unauthorized" in str(await socket.recv())
    await socket.wait_closed()
    assert socket.close_code == 4403
    assert await redis_client.keys("s:*") == []
    async with httpx.AsyncClient(timeout=PATIENCE_S, base_url=guarded.http) as client:
        answer = await client.get("/api/config")
    assert answer.json()["auth"] is True
    assert SECRET not in answer.text


async def test_no_guess_of_a_resume_token_succeeds(
    server: GatewayServer, worker: StandInWorker
) -> None:
    caller, other = await server.caller(), await server.caller()
    sid = str(caller.events[0]["session"])
    guesses = [f"{number:022}" for number in range(GUESSES - 1)] + [other.events[0]["token"]]

    async def guess(text: str) -> ErrorCode | None:
        try:
            await server.gateway.resumer.resume(
                Resume(resume=ResumePoint(session=sid, token=text, frame=0))
            )
        except CallError as error:
            return error.code
        return None

    for at in range(0, GUESSES, 20):
        answers = await asyncio.gather(*map(guess, guesses[at : at + 20]))
        assert set(answers) == {ErrorCode.BAD_TOKEN}
    await caller.socket.send(SECOND[:3_840])  # no guess has taken it over
    await caller.until_frame(4)
    for each in (caller, other):
        await each.send("end")


async def test_idle_connections_do_not_block_calls(
    server: GatewayServer, worker: StandInWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    raise_descriptor_limit()  # this process holds both ends of each
    monkeypatch.setattr(request_deadlines, "REQUEST_WITHIN_S", 60.0)
    async with half_requests(server, PARTIAL) as waiting:
        caller = await server.caller()
        async with httpx.AsyncClient(timeout=PATIENCE_S, base_url=server.http) as client:
            assert (await client.get("/health")).status_code == 200
        await caller.socket.send(SECOND[:3_840])
        await caller.until_frame(4)
        assert not any(reader.at_eof() for reader in waiting)
        await caller.send("end")


async def test_idle_connections_are_closed(
    server: GatewayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_deadlines, "REQUEST_WITHIN_S", 0.1)
    async with half_requests(server, 3) as waiting:
        for reader in waiting:
            assert await asyncio.wait_for(reader.read(), PATIENCE_S) == b""


@asynccontextmanager
async def half_requests(
    server: GatewayServer, count: int
) -> AsyncIterator[list[asyncio.StreamReader]]:
    """This many connections with a request that never ends."""
    pairs = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(count)]
    for _, writer in pairs:
        writer.write(b"GET /ws/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n")
    try:
        yield [reader for reader, _ in pairs]
    finally:
        for _, writer in pairs:
            writer.transport.abort()


async def test_the_longest_idle_connection_is_closed_first(
    server: GatewayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_deadlines, "MAX_WAITING", 3)
    async with half_requests(server, 5) as waiting:
        for reader in waiting[:2]:
            assert await asyncio.wait_for(reader.read(), PATIENCE_S) == b""
        assert not any(reader.at_eof() for reader in waiting[2:])


async def test_a_dead_connection_is_found_by_its_missing_pong(
    redis_url: str, worker: StandInWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uvicorn_adapter, "WS_PING_EVERY_S", 0.1)
    monkeypatch.setattr(uvicorn_adapter, "WS_PING_TIMEOUT_S", 2.0)  # for the call to begin
    async with running_gateway(redis_url) as server:
        await server.sees(worker.slots)
        caller = await server.caller()
        caller.socket.transport.pause_reading()  # it answers no ping and sends no close
        await until(lambda: not server.gateway.sessions)
        await until(lambda: not server.uvicorn.server_state.connections)
