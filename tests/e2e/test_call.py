"""Whole calls through real processes: gateway, Redis, workers with the echo engine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import connect

from shared.log.session_log import connect as connect_redis
from tests.e2e.client import Client
from tests.e2e.launcher import Stack
from tests.patience import until
from tests.sounds import joined, noise, silence, voice

pytestmark = pytest.mark.e2e


@asynccontextmanager
async def calling(stack: Stack, mode: str) -> AsyncIterator[Client]:
    """A call that is hung up at the end."""
    async with connect(stack.url, subprotocols=["antiphon.v1"], compression=None) as socket:  # type: ignore[list-item]
        client = Client(socket)
        await client.start(mode)
        yield client
        await client.hang_up()


async def session_keys(stack: Stack) -> list[bytes | str]:
    redis = connect_redis(stack.redis_url)
    found = [
        *await redis.keys("s:*"),
        *await redis.keys("c:queue"),
        *await redis.keys("c:sessions"),
    ]
    await redis.aclose()
    return found


async def test_a_streamed_call_comes_back_bit_for_bit_and_leaves_no_key(stack: Stack) -> None:
    stack.start_worker()
    stack.start_gateway()
    chunks = noise(25)
    async with calling(stack, "stream") as client:
        await client.speak(chunks)
        await client.until(lambda: len(client.frames) == 100)
    assert client.numbers == list(range(1, 101))
    assert client.pcm == joined(chunks)

    async def no_key_is_left() -> bool:
        return not await session_keys(stack)

    await until(no_key_is_left)


async def test_kill_9_of_the_worker_in_mid_call_loses_and_doubles_nothing(stack: Stack) -> None:
    stack.start_worker()
    stack.start_worker()
    stack.start_gateway()
    chunks = noise(75)
    async with calling(stack, "stream") as client:
        speaking = asyncio.create_task(client.speak(chunks))
        await client.until(lambda: len(client.frames) > 60)
        stack.owner_of(client.ready["session"]).kill()
        await speaking
        await client.until(lambda: len(client.frames) == 300)
    assert client.numbers == list(range(1, 301))
    assert client.pcm == joined(chunks)


async def test_sigterm_of_the_worker_in_mid_call_hands_it_over(stack: Stack) -> None:
    stack.start_worker()
    stack.start_worker()
    stack.start_gateway()
    chunks = noise(40)
    async with calling(stack, "stream") as client:
        speaking = asyncio.create_task(client.speak(chunks))
        await client.until(lambda: len(client.frames) > 60)
        leaving = stack.owner_of(client.ready["session"])
        assert await asyncio.to_thread(leaving.terminate) == 0
        await speaking
        await client.until(lambda: len(client.frames) == 160)
    assert client.pcm == joined(chunks)


async def test_speaking_over_a_reply_stops_it_and_the_next_turn_works(stack: Stack) -> None:
    stack.start_worker()
    stack.start_gateway()
    async with calling(stack, "turn") as client:
        await client.speak([*voice(25), *silence(8)])
        await client.until(lambda: len(client.frames) > 20)
        # A buzz over the echo engine's own buzz: telling it from an echo takes long.
        await client.speak(voice(20, pitch_hz=190))
        await client.until(lambda: bool(client.got("clear")))
        cleared = client.got("clear")[0]
        await client.speak(silence(9))
        await client.until(lambda: len(client.got("reply_done")) > 0)
    old = [number for number, generation, _ in client.frames if generation == 1]
    new = [number for number, generation, _ in client.frames if generation == 2]
    assert old == list(range(1, len(old) + 1))
    assert new[0] == cleared["next_frame"]
    assert new == list(range(new[0], new[0] + len(new)))
    assert joined(voice(20, pitch_hz=190)[15:]) in client.pcm
