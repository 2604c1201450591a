"""Whole calls through real processes: gateway, Redis, workers with the echo engine."""

import asyncio
from collections.abc import Callable

import pytest

from tests.e2e.client import Client, calling
from tests.e2e.launcher import Process, Stack
from tests.patience import until
from tests.sounds import joined, noise, silence, voice

pytestmark = pytest.mark.e2e


async def test_a_streamed_call_comes_back_bit_for_bit_and_leaves_no_key(stack: Stack) -> None:
    stack.start_worker()
    stack.start_gateway()
    chunks = noise(25)
    async with calling(stack.url, "stream") as client:
        await client.speak(chunks)
        await client.until(lambda: len(client.frames) == 100)
    assert client.numbers == list(range(1, 101))
    assert client.pcm == joined(chunks)
    await until(lambda: not stack.redis.keys("s:*"))
    await until(lambda: not stack.redis.exists("c:queue", "c:sessions"))


@pytest.mark.parametrize("end", [Process.kill, Process.terminate], ids=["SIGKILL", "SIGTERM"])
async def test_the_end_of_a_worker_loses_and_doubles_no_frame(
    stack: Stack, end: Callable[[Process], int | None]
) -> None:
    stack.start_worker()
    stack.start_worker()
    stack.start_gateway()
    chunks = noise(50)
    async with calling(stack.url, "stream") as client:
        speaking = asyncio.create_task(client.speak(chunks))
        await client.until(lambda: len(client.frames) > 60)
        owner = stack.owner_of(client.ready["session"])
        status = await asyncio.to_thread(end, owner)
        await speaking
        await client.until(lambda: len(client.frames) == 200)
    assert client.numbers == list(range(1, 201))
    assert client.pcm == joined(chunks)
    assert not status  # 0 after SIGTERM


async def test_speaking_over_a_reply_stops_it_and_the_next_turn_works(stack: Stack) -> None:
    stack.start_worker()
    stack.start_gateway()
    async with calling(stack.url, "turn") as client:
        await client.speak([*voice(25), *silence(8)])
        await client.until(lambda: len(client.frames) > 20)
        # Both sides are steady buzzes, so the echo canceller needs long to tell them apart.
        await client.speak(voice(20, pitch_hz=190))
        await client.until(lambda: bool(client.got("clear")))
        await client.speak(silence(9))
        await client.until(lambda: bool(client.got("reply_done")))
    (clear,) = client.got("clear")
    assert frames_of(client, 1) == list(range(1, len(frames_of(client, 1)) + 1))
    second = frames_of(client, 2)
    assert second == list(range(clear["next_frame"], clear["next_frame"] + len(second)))
    assert joined(voice(20, pitch_hz=190)[15:]) in client.pcm


def frames_of(client: Client, generation: int) -> list[int]:
    """The numbers of one reply's frames."""
    return [
        number for number, frame_generation, _ in client.frames if frame_generation == generation
    ]
